//! Numbers for sockets and connections, which the engine uses.

/// Stores values by number. Free numbers are reused, so numbers stay small.
#[derive(Debug)]
pub(super) struct Table<T> {
    entries: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Table<T> {
    /// Stores a value and returns its number.
    pub(super) fn insert(&mut self, thing: T) -> usize {
        let number = self.free.pop().unwrap_or(self.entries.len());
        match self.entries.get_mut(number) {
            Some(entry) => *entry = Some(thing),
            None => self.entries.push(Some(thing)),
        }
        number
    }

    pub(super) fn get(&self, number: usize) -> Option<&T> {
        self.entries.get(number)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        self.entries.get_mut(number)?.as_mut()
    }

    pub(super) fn remove(&mut self, number: usize) -> Option<T> {
        let removed = self.entries.get_mut(number)?.take();
        if removed.is_some() {
            self.free.push(number);
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_reused_only_after_it_is_free() {
        let mut table = Table::default();
        assert_eq!(["a", "b", "c"].map(|thing| table.insert(thing)), [0, 1, 2]);
        assert_eq!((table.remove(1), table.remove(1), table.get(1)), (Some("b"), None, None));
        assert_eq!((table.insert("d"), table.insert("e")), (1, 3));
        assert_eq!((table.get(1), table.get(2)), (Some(&"d"), Some(&"c")));
    }
}
