//! The page's life.

use std::{cell::Cell, rc::Rc};

use sightline_browser::{page, queue::event_queue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Event, EventTarget};

fn dispatch(target: &EventTarget, event: &str) {
    target.dispatch_event(&Event::new(event).unwrap()).unwrap();
}

#[wasm_bindgen_test]
fn visibility_and_network_are_reported_until_the_listener_is_dropped() {
    let window = web_sys::window().unwrap();
    let document = window.document().unwrap();

    let (sink, mut events) = event_queue(10);
    let visibility = page::report_visibility(sink.clone());
    dispatch(&document, "visibilitychange");
    assert_eq!(events.try_next(), Some(page::is_visible()));
    drop(visibility);
    dispatch(&document, "visibilitychange");
    assert_eq!(events.try_next(), None);

    let online = page::report_online(sink);
    dispatch(&window, "offline");
    dispatch(&window, "online");
    assert_eq!([events.try_next(), events.try_next()], [Some(false), Some(true)]);
    drop(online);
    dispatch(&window, "offline");
    assert_eq!(events.try_next(), None);
    assert!(page::is_online());
}

#[wasm_bindgen_test]
fn the_last_words_are_said_when_the_page_goes() {
    let said = Rc::new(Cell::new(0));
    let listener = page::on_page_hide({
        let said = Rc::clone(&said);
        move || said.set(said.get() + 1)
    });
    let window = web_sys::window().unwrap();
    dispatch(&window, "pagehide");
    assert_eq!(said.get(), 1);
    drop(listener);
    dispatch(&window, "pagehide");
    assert_eq!(said.get(), 1);
}

#[wasm_bindgen_test]
fn the_title_is_set_as_text() {
    page::set_title("<b>a</b> & 名");
    assert_eq!(web_sys::window().unwrap().document().unwrap().title(), "<b>a</b> & 名");
}
