//! The maximum contents of a report. The reader refuses more, both in a file and in the log of another page, before it
//! allocates memory for it; the writer stays within the bounds.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use sightline_protocol::{DisplayName, text::without_invisible};

/// Maximum number of sides: two for each other member.
pub(crate) const MAX_SIDES: usize = 128;
/// Maximum number of rows per side: one per second for three hours.
pub(crate) const MAX_SAMPLES: usize = 3 * 3600;
/// Maximum number of columns per row, including the time.
pub(crate) const MAX_COLUMNS: usize = 64;
pub(crate) const MAX_EVENTS: usize = 2000;
pub(crate) const MAX_ABSENCES: usize = 100;
pub(crate) const MAX_CONDITIONS: usize = 64;
pub(crate) const MAX_LEDGER: usize = crate::measure::playout::MAX_STALLS;
pub(crate) const MAX_SOUND_LEDGER: usize = crate::measure::sound::MAX_BURSTS;
pub(crate) const MAX_MARKS: usize = 2000;
pub(crate) const MAX_FRAMES: usize = crate::measure::stamp::MAX_LOGGED_FRAMES;
pub(crate) const MAX_BUCKETS: usize = 64;
pub(crate) const MAX_TERMS: usize = 16;
/// Maximum length of any text, in bytes of UTF-8.
pub(crate) const MAX_TEXT_BYTES: usize = 1024;

/// Beginning of the error message for exceeded bounds.
pub(super) const TOO_LONG: &str = "more than a report holds";

/// A list of at most `MAX` elements. Deserializing stops at the first element beyond that.
pub(super) struct AtMost<T, const MAX: usize>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for AtMost<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for List<T, MAX> {
            type Value = AtMost<T, MAX>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of at most {MAX}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    if values.len() == MAX {
                        return Err(A::Error::custom(TOO_LONG));
                    }
                    values.push(value);
                }
                Ok(AtMost(values))
            }
        }
        deserializer.deserialize_seq(List(PhantomData))
    }
}

/// A text of at most [`MAX_TEXT_BYTES`] that cannot change the direction or the look of the surrounding text.
pub(super) struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = Text;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                if text.len() > MAX_TEXT_BYTES { Err(E::custom(TOO_LONG)) } else { Ok(Text(plain(text))) }
            }
        }
        deserializer.deserialize_str(Words)
    }
}

/// For `#[serde(deserialize_with)]` on a list.
pub(super) fn list<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    AtMost::<T, MAX>::deserialize(deserializer).map(|list| list.0)
}

/// For `#[serde(deserialize_with)]` on a text.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Text::deserialize(deserializer).map(|text| text.0)
}

/// For `#[serde(deserialize_with)]` on a text that may be missing.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<Text>::deserialize(deserializer).map(|text| text.map(|text| text.0))
}

/// For `#[serde(deserialize_with)]` on a member's name.
pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer).map(|name| DisplayName::cut(&name).as_str().to_owned())
}

/// For `#[serde(deserialize_with)]` on the column names.
pub(super) fn columns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let columns = list::<D, Text, MAX_COLUMNS>(deserializer)?;
    Ok(columns.into_iter().map(|column| column.0).collect())
}

/// For `#[serde(deserialize_with)]` on the rows.
pub(super) fn samples<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<Option<f64>>>, D::Error> {
    let rows = list::<D, AtMost<Option<f64>, MAX_COLUMNS>, MAX_SAMPLES>(deserializer)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// For `#[serde(deserialize_with)]` on pairs of words.
pub(super) fn conditions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, String)>, D::Error> {
    let pairs = list::<D, (Text, Text), MAX_CONDITIONS>(deserializer)?;
    Ok(pairs.into_iter().map(|(name, value)| (name.0, value.0)).collect())
}

/// Cleans a text for a report: one line of at most [`MAX_TEXT_BYTES`] without hidden characters, by the table that also cleans
/// the names of members.
#[must_use]
pub fn plain(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    without_invisible(text)
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
        .collect()
}
