//! A room as one member's session sees it: who is there, which links there are, what everyone publishes.

mod state;

pub use state::LinkState;
