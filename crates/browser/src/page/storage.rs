//! Small values in the browser's storage. Where that is not possible (a private window, a full disk, a policy) they are not
//! stored, and nothing fails.

use super::window::window;

/// One of the two `Storage` areas of the page's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageArea {
    /// Kept until the person removes the data, and shared by all tabs.
    Local,
    /// Kept as long as the tab; a duplicated tab starts with a copy.
    Session,
}

impl StorageArea {
    /// The value of `key`, if it exists and can be read.
    #[must_use]
    pub fn get(self, key: &str) -> Option<String> {
        self.open()?.get_item(key).ok().flatten()
    }

    /// Stores `value` under `key`. Returns whether that was possible.
    pub fn set(self, key: &str, value: &str) -> bool {
        self.open().is_some_and(|storage| storage.set_item(key, value).is_ok())
    }

    /// Removes `key`. Returns whether it is gone now.
    pub fn remove(self, key: &str) -> bool {
        self.open().is_some_and(|storage| storage.remove_item(key).is_ok())
    }

    /// Moves what is stored under one key to another, where it replaces what was there. Does nothing if nothing is stored.
    pub fn rename(self, from: &str, to: &str) {
        if let Some(value) = self.get(from) {
            self.set(to, &value);
            self.remove(from);
        }
    }

    fn open(self) -> Option<web_sys::Storage> {
        match self {
            Self::Local => window().local_storage(),
            Self::Session => window().session_storage(),
        }
        .ok()
        .flatten()
    }
}
