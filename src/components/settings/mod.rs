//! Settings of devices, picture and connection.

pub mod create_token;
pub mod device_select;
mod ice_servers_field;
pub mod menu;
pub mod panel;
