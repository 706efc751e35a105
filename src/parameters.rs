//! The query parameters that make a room scriptable.

use sightline_protocol::DisplayName;

use crate::session::model::SourceChoice;

/// What the address asks for. Anything unknown or malformed is as if it were not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `name`: the name shown to the others.
    pub name: Option<DisplayName>,
    /// `source=camera|none`: what to publish.
    pub source: Option<SourceChoice>,
    /// `autojoin=1`: enter at once.
    pub autojoin: bool,
    /// `lang`: a language tag (BCP 47).
    pub language: Option<String>,
}

impl Parameters {
    /// Reads a query with or without its question mark. Of a parameter that comes twice the first counts.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let mut parameters = Self::default();
        let query = query.strip_prefix('?').unwrap_or(query);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "name" if parameters.name.is_none() => parameters.name = Some(DisplayName::cut(&value)),
                "source" if parameters.source.is_none() => parameters.source = read_source(&value),
                "autojoin" => parameters.autojoin |= value == "1",
                "lang" if parameters.language.is_none() => parameters.language = Some(value.into_owned()),
                _ => {}
            }
        }
        parameters
    }
}

fn read_source(value: &str) -> Option<SourceChoice> {
    match value {
        "camera" => Some(SourceChoice::Camera),
        "none" => Some(SourceChoice::None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_read() {
        let read = Parameters::parse("?name=Ada+L%C3%B6we&source=none&autojoin=1&lang=zh-CN");
        assert_eq!(read.name.as_ref().map(DisplayName::as_str), Some("Ada Löwe"));
        assert_eq!(read.source, Some(SourceChoice::None));
        assert!(read.autojoin);
        assert_eq!(read.language.as_deref(), Some("zh-CN"));
    }

    #[test]
    fn unknown_and_malformed_parameters_are_as_if_they_were_not_there() {
        for query in ["", "?", "?source=hologram&autojoin=yes&x=1", "&&==&%zz&source", "autojoin"] {
            assert_eq!(Parameters::parse(query), Parameters::default(), "{query}");
        }
    }

    #[test]
    fn a_name_with_markup_is_text_and_one_too_long_is_cut() {
        let read = Parameters::parse(&format!("name=%3Cb%3E{}", "x".repeat(100)));
        let name = read.name.expect("a name");
        assert!(name.as_str().starts_with("<b>x"));
        assert_eq!(name.as_str().chars().count(), 64);
    }

    #[test]
    fn of_a_parameter_that_comes_twice_the_first_counts() {
        assert_eq!(Parameters::parse("source=none&source=camera").source, Some(SourceChoice::None));
    }
}
