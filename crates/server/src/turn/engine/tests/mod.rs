//! The engine as its clients and their peers see it, in simulated time and without sockets.

mod allocations;
mod channels;
mod credentials;
mod fixture;
mod limits;
mod peers;
mod permissions;
