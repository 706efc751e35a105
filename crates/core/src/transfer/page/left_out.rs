//! Chosen files that cannot be sent, for the notice about them.

/// Number of names that are kept for each reason.
const NAMES_TOLD: usize = 20;

/// Why a chosen file is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeftOutReason {
    /// Too many files wait already.
    TooMany,
    /// The path has too many folders, or their names are too long.
    TooDeep,
    /// The browser could not read the file or folder with this name.
    Unreadable,
    /// The file was waiting for a member when the page was reloaded; the browser no longer has the file.
    Forgotten,
}

impl LeftOutReason {
    /// The stable code for tests and reports.
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
    /// Why these files are not sent.
    pub reason: LeftOutReason,
    /// Number of files.
    pub count: usize,
    /// The first file names, with their folders.
    pub names: Vec<String>,
}

/// All files that are left out, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut(Vec<LeftOutFiles>);

impl LeftOut {
    /// Files that are left out for one reason, of which only the first names are known.
    #[must_use]
    pub fn of(reason: LeftOutReason, count: usize, names: Vec<String>) -> Self {
        let names = names.into_iter().take(NAMES_TOLD).collect();
        let files = (count > 0).then_some(LeftOutFiles { reason, count, names });
        Self(files.into_iter().collect())
    }

    /// Adds a file.
    pub fn add(&mut self, reason: LeftOutReason, folder: &str, name: &str) {
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        self.add_all(LeftOutFiles { reason, count: 1, names: vec![path] });
    }

    /// Adds the files of another choice.
    pub fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|files| self.add_all(files));
    }

    /// The files by reason.
    #[must_use]
    pub fn files(&self) -> &[LeftOutFiles] {
        &self.0
    }

    /// Whether no file is left out.
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
    fn every_left_out_file_is_counted_and_the_first_names_are_listed() {
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
