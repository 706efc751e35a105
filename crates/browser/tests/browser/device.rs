//! The key pair of the browser profile, and what is stored with it.

use futures_util::future::join;
use sightline_browser::page::{device::DeviceStore, key_pair::KeyPair};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn two_key_pairs_agree_on_the_same_results_and_a_third_one_gets_others() {
    let [ada, bob, eve] = [
        KeyPair::generate().await.unwrap(),
        KeyPair::generate().await.unwrap(),
        KeyPair::generate().await.unwrap(),
    ];
    let texts = ["one", "two"];
    let of_ada = ada.authenticate(bob.public_key(), texts).await.unwrap();
    assert_eq!(bob.authenticate(ada.public_key(), texts).await.unwrap(), of_ada);
    let of_eve = eve.authenticate(ada.public_key(), texts).await.unwrap();
    assert!(of_ada[0] != of_ada[1] && of_ada[0] != of_eve[0]);
    assert_eq!((ada.public_key().len(), of_ada[0].len()), (65, 32));
    // No point of the curve.
    let mut odd = bob.public_key().to_vec();
    odd[64] ^= 1;
    for other in [&odd[..], &odd[..64], &[]] {
        assert!(ada.authenticate(other, texts).await.is_err());
    }
}

#[wasm_bindgen_test]
async fn pages_that_open_at_the_same_time_get_the_same_key_pair() {
    let open = || DeviceStore::open("same-time");
    let (one, other) = join(open(), open()).await;
    let (one, other) = (one.unwrap(), other.unwrap());
    let (of_one, of_other) = join(one.key_pair_or_new(), other.key_pair_or_new()).await;
    let (of_one, of_other) = (of_one.unwrap(), of_other.unwrap());
    assert_eq!(of_one.public_key(), of_other.public_key());
    let third = KeyPair::generate().await.unwrap();
    let texts = ["text"];
    assert_eq!(
        of_one.authenticate(third.public_key(), texts).await.unwrap(),
        of_other.authenticate(third.public_key(), texts).await.unwrap()
    );
    let later = open().await.unwrap().key_pair().await.unwrap().unwrap();
    assert_eq!(later.public_key(), of_one.public_key());
}

#[wasm_bindgen_test]
async fn texts_belong_to_their_key_pair_and_are_removed_one_by_one_or_with_it() {
    let store = DeviceStore::open("texts").await.unwrap();
    assert!(store.key_pair().await.unwrap().is_none());
    let pair = store.key_pair_or_new().await.unwrap();
    for (id, text) in [("a", "Ada"), ("b", "Bob"), ("a", "Ada again")] {
        store.put(&pair, id, text).unwrap();
    }
    let other = KeyPair::generate().await.unwrap();
    store.put(&other, "a", "of another key").unwrap();
    assert_eq!(store.texts(&pair).await.unwrap(), ["Ada again", "Bob"]);
    store.remove(&pair, "a").unwrap();
    assert_eq!(store.texts(&pair).await.unwrap(), ["Bob"]);
    store.clear().unwrap();
    assert!(store.texts(&pair).await.unwrap().is_empty() && store.texts(&other).await.unwrap().is_empty());
    assert!(store.key_pair().await.unwrap().is_none());
    assert_ne!(store.key_pair_or_new().await.unwrap().public_key(), pair.public_key());
}
