//! Accepts only JSON that every parser reads alike.
//!
//! A typed reader skips unknown fields, which may contain what another parser refuses: a number out of range, deep nesting, half of
//! a surrogate pair, a field twice. This module reads every value of a text and refuses what parsers disagree about.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

/// Deepest nesting: deeper than any message of the protocol, and far from exhausting a stack.
const MAX_DEPTH: usize = 16;
/// Most fields of one object: more than any object of the protocol has.
const MAX_FIELDS: usize = 64;

/// Reads every value of `text` and keeps none.
///
/// # Errors
/// Where the text is not JSON, or is JSON that parsers disagree about.
pub(super) fn check(text: &str) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Checked { depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// A value that is read to its end and not kept.
#[derive(Clone, Copy)]
struct Checked {
    depth: usize,
}

impl Checked {
    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.depth < MAX_DEPTH {
            Ok(Self { depth: self.depth + 1 })
        } else {
            Err(E::custom(format_args!("nested deeper than {MAX_DEPTH}")))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while elements.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut names = Names::default();
        while let Some(name) = fields.next_key::<Name<'de>>()? {
            names.add(name)?;
            fields.next_value_seed(inner)?;
        }
        Ok(())
    }
}

/// The names of an object's fields so far.
#[derive(Default)]
struct Names<'de> {
    few: Vec<Name<'de>>,
    many: HashSet<Name<'de>>,
}

impl<'de> Names<'de> {
    /// Up to this number names are compared one by one.
    const FEW: usize = 8;

    fn add<E: Error>(&mut self, name: Name<'de>) -> Result<(), E> {
        if self.few.contains(&name) || self.many.contains(&name) {
            return Err(E::custom("a field occurs twice"));
        }
        if self.few.len() + self.many.len() >= MAX_FIELDS {
            return Err(E::custom(format_args!("more than {MAX_FIELDS} fields")));
        }
        if self.few.len() < Self::FEW {
            self.few.push(name);
        } else {
            self.many.insert(name);
        }
        Ok(())
    }
}

/// A field's name, borrowed where it was written without escapes.
#[derive(PartialEq, Eq, Hash)]
struct Name<'de>(std::borrow::Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a field's name")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(name.into()))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(name.to_owned().into()))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_parsers_agree_about_is_accepted() {
        for text in [
            "null",
            "{}",
            "[1, -2.5e3, true, \"\\ud83d\\ude00 \u{1f600}\"]",
            "{\"a\": {\"a\": 1}, \"b\": {\"a\": 2}}",
        ] {
            assert!(check(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn json_that_parsers_disagree_about_is_refused() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let many =
            format!("{{{}}}", (0..=MAX_FIELDS).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","));
        for text in [
            "1e999",
            "-1e999",
            "[1e400]",
            "\"\\ud800\"",
            "{\"\\udfff\": 1}",
            "{\"a\": 1, \"a\": 1}",
            "{\"a\": 1, \"\\u0061\": 1}",
            "[{\"x\": {\"y\": 1, \"y\": 2}}]",
            "{} {}",
            "NaN",
            "[1,]",
            "",
            &deep,
            &many,
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
