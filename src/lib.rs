//! Sightline's client: what a person sees (`pages`, `components`) and the one place where browser events meet the
//! core (`session`).
#![allow(unreachable_pub, reason = "components are pub for the macros that call them")]

include!(concat!(env!("OUT_DIR"), "/i18n/mod.rs"));

pub mod session;
