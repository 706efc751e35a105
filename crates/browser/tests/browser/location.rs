//! The page's address.

use sightline_browser::{
    js::queue::event_queue,
    page::location::{self, Location},
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::call::{in_time, until};

#[wasm_bindgen_test]
async fn an_address_is_pushed_and_going_back_is_reported() {
    let before = Location::current();
    assert!(before.origin.starts_with("http://127.0.0.1:"), "{before:?}");
    let (sink, mut events) = event_queue(10);
    let listener = location::report_navigation(sink);

    location::push("/room/a-b?name=%E5%90%8D&x=1#end");
    let pushed = Location::current();
    assert_eq!((pushed.path.as_str(), pushed.fragment.as_str()), ("/room/a-b", "#end"));
    assert_eq!(pushed.origin, before.origin);
    assert_eq!(pushed.query, "?name=%E5%90%8D&x=1");
    location::replace("/room/c");
    assert_eq!(Location::current().path, "/room/c");

    web_sys::window().unwrap().history().unwrap().back().unwrap();
    assert_eq!(in_time("popstate", events.next()).await, Some(()));
    until("the address of before", async || Location::current() == before).await;
    drop(listener);
    assert_eq!(in_time("the end of the events", events.next()).await, None);
}
