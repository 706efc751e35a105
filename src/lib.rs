//! Sightline's client: what a person sees (`pages`, `components`) and the one place where browser events meet the
//! core (`session`).
//!
//! | module | subject |
//! |---|---|
//! | [`app`], [`route`], [`navigation`] | the root of the page, its addresses, and going from one to another |
//! | [`pages`] | home, lobby and room, connection check, report |
//! | [`components`] | the parts of the pages, in folders by what they show |
//! | [`session`] | drives the core: browser events in, its outputs performed |
//! | [`parameters`], [`source_choice`], [`consent`], [`invitation`] | what an address may ask for and publish, what the person agreed to, the link to a room |
//! | [`language`], [`sentences`], [`appearance`], [`keys`] | words in two languages, light and dark, keyboard shortcuts |
//! | [`chunk`], [`running_calls`] | parts of the page that are loaded later; calls that outlive their page |
#![allow(unreachable_pub, reason = "components are pub for the macros that call them")]

pub mod app;
pub mod appearance;
pub mod chunk;
pub mod components;
pub mod consent;
pub mod create_token;
pub mod invitation;
pub mod keys;
pub mod language;
pub mod navigation;
pub mod pages;
pub mod parameters;
pub mod push_to_talk;
pub mod route;
pub mod running_calls;
pub mod session;
pub mod source_choice;

/// A function for each key of `locales/*.json`. Private, so that the compiler reports a key that nothing uses.
mod sentences {
    #![allow(non_snake_case, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/sentences.rs"));
}
