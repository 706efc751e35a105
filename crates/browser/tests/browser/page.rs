//! The lifecycle of the page.

use std::{cell::Cell, rc::Rc};

use sightline_browser::{
    js::queue::event_queue,
    page::{document, lifecycle},
};
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
    let visibility = lifecycle::report_visibility(sink.clone());
    dispatch(&document, "visibilitychange");
    assert_eq!(events.try_next(), Some(lifecycle::is_visible()));
    drop(visibility);
    dispatch(&document, "visibilitychange");
    assert_eq!(events.try_next(), None);

    let online = lifecycle::report_online(sink);
    dispatch(&window, "offline");
    dispatch(&window, "online");
    assert_eq!([events.try_next(), events.try_next()], [Some(false), Some(true)]);
    drop(online);
    dispatch(&window, "offline");
    assert_eq!(events.try_next(), None);
    assert!(lifecycle::is_online());
}

#[wasm_bindgen_test]
fn the_listener_is_called_when_the_page_is_hidden() {
    let said = Rc::new(Cell::new(0));
    let listener = lifecycle::on_page_hide({
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
    document::set_title("<b>a</b> & 名");
    assert_eq!(web_sys::window().unwrap().document().unwrap().title(), "<b>a</b> & 名");
}
