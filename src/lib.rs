//! Sightline's client: what a person sees (`pages`, `components`) and the one place where browser events meet the
//! core (`session`).
#![allow(unreachable_pub, reason = "components are pub for the macros that call them")]

pub mod app;
pub mod appearance;
pub mod chunk;
pub mod components;
pub mod consent;
pub mod invitation;
pub mod keys;
pub mod language;
pub mod navigation;
pub mod pages;
pub mod parameters;
pub mod route;
pub mod running_calls;
pub mod session;

/// The keys of `locales/*.json`.
pub mod sentences {
    #![allow(missing_docs, non_snake_case, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/sentences.rs"));
}
