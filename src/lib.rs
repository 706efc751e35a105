//! Sightline's client: what a person sees (`pages`, `components`) and the one place where browser events meet the
//! core (`session`).
#![allow(unreachable_pub, reason = "components are pub for the macros that call them")]

pub mod app;
pub mod appearance;
pub mod components;
pub mod invitation;
pub mod language;
pub mod navigation;
pub mod pages;
pub mod parameters;
pub mod route;
pub mod running_calls;
pub mod session;

pub use translations::i18n;

/// The keys of `locales/*.json`.
mod translations {
    #![allow(missing_docs, clippy::all, clippy::pedantic, clippy::expect_used, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/i18n/mod.rs"));
}
