//! Values in the browser's storage.

use sightline_browser::page::storage::StorageArea;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn a_value_is_kept_until_it_is_removed_and_the_areas_are_separate() {
    for (area, other) in
        [(StorageArea::Local, StorageArea::Session), (StorageArea::Session, StorageArea::Local)]
    {
        assert_eq!(area.get("test-key"), None);
        assert!(area.set("test-key", "值"));
        assert_eq!(area.get("test-key").as_deref(), Some("值"));
        assert_eq!(other.get("test-key"), None);
        assert!(area.remove("test-key"));
        assert_eq!(area.get("test-key"), None);
        assert!(area.remove("test-key"), "removing an absent value succeeds");
    }
}

#[wasm_bindgen_test]
fn a_value_that_is_too_large_is_not_kept_and_nothing_fails() {
    let large = "x".repeat(30 * 1024 * 1024);
    assert!(!StorageArea::Local.set("test-large", &large));
    assert_eq!(StorageArea::Local.get("test-large"), None);
}
