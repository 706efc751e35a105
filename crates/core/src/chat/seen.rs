//! Remembers message ids, so that a repetition is recognized even after its message left the log.

use std::collections::{HashMap, HashSet, VecDeque};

use sightline_protocol::{MemberId, MessageId};

/// Number of ids remembered for each author: twice the size of the log.
const MAX_OF_AUTHOR: usize = 4_000;
/// Number of authors remembered; the one that came first is forgotten first.
const MAX_AUTHORS: usize = 128;

/// The message ids of each author.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    authors: HashMap<Option<MemberId>, OfAuthor>,
    order: VecDeque<Option<MemberId>>,
}

#[derive(Debug, Default)]
struct OfAuthor {
    ids: HashSet<MessageId>,
    order: VecDeque<MessageId>,
}

impl SeenIds {
    pub(super) fn contains(&self, author: Option<&MemberId>, id: &MessageId) -> bool {
        self.authors.get(&author.cloned()).is_some_and(|seen| seen.ids.contains(id))
    }

    pub(super) fn insert(&mut self, author: Option<&MemberId>, id: MessageId) {
        let author = author.cloned();
        if !self.authors.contains_key(&author) {
            self.order.push_back(author.clone());
            if self.order.len() > MAX_AUTHORS
                && let Some(oldest) = self.order.pop_front()
            {
                self.authors.remove(&oldest);
            }
        }
        let seen = self.authors.entry(author).or_default();
        if seen.ids.insert(id.clone()) {
            seen.order.push_back(id);
        }
        if seen.order.len() > MAX_OF_AUTHOR
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.ids.remove(&oldest);
        }
    }
}
