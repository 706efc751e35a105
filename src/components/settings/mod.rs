//! Settings of devices, picture and connection; permissions and people that this device keeps.

pub mod create_token;
pub mod device_select;
mod ice_servers_field;
pub mod menu;
pub mod panel;
mod remembered;
