//! Two negotiators, each with a model of a browser's peer connection, and a network between them.

mod browser;
mod description;
mod world;

pub(crate) use world::{Action, Coverage, World};
