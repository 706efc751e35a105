//! The key of this device, and the people that it remembers, as the browser stores them.
//!
//! Where the browser stores no keys (some private windows, a policy, a damaged profile), this device recognizes nobody, and nothing
//! else fails.

use std::{rc::Rc, time::Duration};

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    BrowserError,
    js::queue::EventSink,
    page::{clock, device::DeviceStore, key_pair::KeyPair},
};
use sightline_core::trust::{KeyTags, Person, PersonId, RecognitionTask, device_key, device_key_bytes};
use sightline_protocol::DeviceKey;

use super::{
    input::Input,
    model::{Remembered, RememberedPeople},
};

const DATABASE: &str = "sightline.device";
/// A browser that has not given the key after this time counts as one that stores no keys. A busy computer takes seconds. Nothing waits
/// for the key.
const PATIENCE: Duration = Duration::from_secs(10);

/// The key pair of this device, and its store.
#[derive(Debug, Clone)]
pub struct Device {
    store: Rc<DeviceStore>,
    pair: Rc<KeyPair>,
    key: DeviceKey,
}

impl Device {
    /// Opens the store, and makes a key pair if this device has none. Returns the people that this device remembers, too.
    pub async fn open() -> Option<(Self, Vec<Person>)> {
        let (opening, patience) = (open_or_make(), clock::sleep(PATIENCE));
        pin_mut!(opening, patience);
        match select(opening, patience).await {
            Either::Left((Ok(opened), _)) => Some(opened),
            Either::Left((Err(_), _)) | Either::Right(_) => None,
        }
    }

    /// The public key.
    pub fn key(&self) -> &DeviceKey {
        &self.key
    }

    /// Performs a task of the core.
    pub fn perform(&self, task: RecognitionTask, inputs: &EventSink<Input>) {
        // If storing fails, the person is a stranger in the next call.
        match task {
            RecognitionTask::Compute { id, keys, sent, expected } => {
                let (pair, inputs) = (Rc::clone(&self.pair), inputs.clone());
                spawn_local(async move {
                    let mut tags = Vec::new();
                    for key in keys {
                        tags.extend(tags_of(&pair, key, [&sent, &expected]).await);
                    }
                    inputs.push(Input::Recognition(id, tags));
                });
            }
            RecognitionTask::Remember(person) => {
                if let Some(text) = person.to_text() {
                    let _ = self.store.put(&self.pair, PersonId::of(&person.key).as_str(), &text);
                }
            }
            RecognitionTask::Forget(person) => {
                let _ = self.store.remove(&self.pair, person.as_str());
            }
            RecognitionTask::ForgetEverybody => {
                let _ = self.store.clear();
            }
        }
    }
}

async fn tags_of(pair: &KeyPair, key: DeviceKey, texts: [&str; 2]) -> Option<KeyTags> {
    let [sent, expected] = pair.authenticate(&device_key_bytes(&key), texts).await.ok()?;
    KeyTags::of_hmacs(key, &sent, &expected)
}

async fn open_or_make() -> Result<(Device, Vec<Person>), BrowserError> {
    let store = DeviceStore::open(DATABASE).await?;
    let pair = store.key_pair_or_new().await?;
    let key = device_key(pair.public_key()).ok_or_else(|| BrowserError::not_supported("P-256"))?;
    let people = read(&store, &pair).await?;
    Ok((Device { store: Rc::new(store), pair: Rc::new(pair), key }, people))
}

async fn read(store: &DeviceStore, pair: &KeyPair) -> Result<Vec<Person>, BrowserError> {
    Ok(store.texts(pair).await?.iter().filter_map(|text| Person::from_text(text)).collect())
}

/// The people that this device remembers, for a page that is in no room.
#[must_use]
pub fn remembered_here() -> RememberedPeople {
    let list = RwSignal::new(Remembered::Unread);
    spawn_local(async move {
        list.try_set(stored().await.map_or(Remembered::Off, Remembered::People));
    });
    let forget = Callback::new(move |person: Option<PersonId>| {
        spawn_local(async move {
            // If that fails, the list shows it.
            let _ = forget_stored(person.as_ref()).await;
            list.try_set(stored().await.map_or(Remembered::Off, Remembered::People));
        });
    });
    RememberedPeople { list, forget }
}

async fn stored() -> Result<Vec<Person>, BrowserError> {
    let store = DeviceStore::open(DATABASE).await?;
    match store.key_pair().await? {
        Some(pair) => read(&store, &pair).await,
        None => Ok(Vec::new()),
    }
}

async fn forget_stored(person: Option<&PersonId>) -> Result<(), BrowserError> {
    let store = DeviceStore::open(DATABASE).await?;
    match person {
        None => store.clear(),
        Some(person) => match store.key_pair().await? {
            Some(pair) => store.remove(&pair, person.as_str()),
            None => Ok(()),
        },
    }
}
