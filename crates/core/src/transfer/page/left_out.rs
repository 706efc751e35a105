//! Files that were chosen and cannot be sent, for the sentence that says so.

/// Names that are told for each reason.
const NAMES_TOLD: usize = 20;

/// Why a file that was chosen is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeftOutReason {
    /// More files wait already than may.
    TooMany,
    /// It lies in too many folders, or their names are too long.
    TooDeep,
    /// The browser could not read the file, or the folder of this name.
    Unreadable,
    /// It waited for somebody to come when the page was loaded again; the browser no longer has the file.
    Forgotten,
}

impl LeftOutReason {
    /// The code as tests and reports read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooMany => "files-too-many",
            Self::TooDeep => "files-too-deep",
            Self::Unreadable => "files-unreadable",
            Self::Forgotten => "files-forgotten",
        }
    }
}

/// The files that are left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOutFiles {
    /// Why.
    pub reason: LeftOutReason,
    /// How many.
    pub count: usize,
    /// The first ones, with their folders.
    pub names: Vec<String>,
}

/// All files that are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut(Vec<LeftOutFiles>);

impl LeftOut {
    /// Files of which the first names are known.
    #[must_use]
    pub fn of(reason: LeftOutReason, count: usize, names: Vec<String>) -> Self {
        let names = names.into_iter().take(NAMES_TOLD).collect();
        let files = (count > 0).then_some(LeftOutFiles { reason, count, names });
        Self(files.into_iter().collect())
    }

    /// One more.
    pub fn add(&mut self, reason: LeftOutReason, folder: &str, name: &str) {
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        self.add_all(LeftOutFiles { reason, count: 1, names: vec![path] });
    }

    /// All of another choice.
    pub fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|files| self.add_all(files));
    }

    /// For each reason.
    #[must_use]
    pub fn files(&self) -> &[LeftOutFiles] {
        &self.0
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add_all(&mut self, files: LeftOutFiles) {
        match self.0.iter_mut().find(|known| known.reason == files.reason) {
            Some(known) => {
                known.count = known.count.saturating_add(files.count);
                let room = NAMES_TOLD.saturating_sub(known.names.len());
                known.names.extend(files.names.into_iter().take(room));
            }
            None => self.0.push(files),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_counts_and_the_first_names_are_told() {
        let mut left_out = LeftOut::default();
        for number in 0..1000 {
            left_out.add(LeftOutReason::TooMany, "work", &format!("{number}.txt"));
        }
        let mut other = LeftOut::default();
        other.add(LeftOutReason::TooDeep, "", "deep.txt");
        other.add(LeftOutReason::TooMany, "", "last.txt");
        left_out.merge(other);
        let told: Vec<_> =
            left_out.files().iter().map(|files| (files.reason.as_str(), files.count)).collect();
        assert_eq!(told, [("files-too-many", 1001), ("files-too-deep", 1)]);
        assert_eq!(left_out.files()[0].names.len(), NAMES_TOLD);
        assert_eq!(left_out.files()[0].names[0], "work/0.txt");
        assert_eq!(left_out.files()[1].names, ["deep.txt"]);
    }
}
