//! Figures of a call: the panel with rows, charts and details, and the control of a run.

mod chart;
mod charts;
mod copy_button;
mod details;
mod event_text;
pub mod figure_text;
pub mod metric_help;
pub mod metric_text;
pub mod panel;
pub mod playout;
mod plot;
pub mod run_control;
mod summary;
mod table;
mod timeline;
