//! Texts in IndexedDB.

use sightline_browser::page::records::Records;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn texts_are_kept_in_the_order_of_their_numbers_and_each_group_by_itself() {
    let records = Records::open("order").await.unwrap();
    for number in [2, 10, 0] {
        records.put("b", [(number, format!("text {number}"))]).unwrap();
    }
    records.put("a", [(1, "older".to_owned())]).unwrap();
    records.put("b", [(2, "another text 2".to_owned())]).unwrap();
    drop(records);

    let records = Records::open("order").await.unwrap();
    assert_eq!(records.of_group("b").await.unwrap(), ["text 0", "another text 2", "text 10"]);
    assert_eq!(records.of_group("a").await.unwrap(), ["older"]);
    assert!(records.of_group("c").await.unwrap().is_empty());
}

#[wasm_bindgen_test]
async fn removing_records_removes_no_others() {
    let records = Records::open("removal").await.unwrap();
    for group in ["a", "b", "c"] {
        for number in 0..4 {
            records.put(group, [(number, number.to_string())]).unwrap();
        }
    }
    records.remove_groups_before("b").unwrap();
    records.remove_before("b", 2).unwrap();
    records.remove_group("c").unwrap();
    assert!(records.of_group("a").await.unwrap().is_empty());
    assert_eq!(records.of_group("b").await.unwrap(), ["2", "3"]);
    assert!(records.of_group("c").await.unwrap().is_empty());
}
