//! The definition of every metric: meaning, unit and source, in the same words as in `docs/measuring.md`.

use sightline_core::{measure::Metric, with_metrics};

use crate::{language::Sentence, sentence};

macro_rules! define_metric_help {
    ($($variant:ident $name:ident $unit:ident $origin:ident;)+) => {
        /// The definition of a metric.
        #[must_use]
        pub fn metric_help(metric: Metric) -> Sentence {
            match metric {
                $(Metric::$variant => sentence!(help.$name),)+
            }
        }
    };
}

with_metrics!(define_metric_help);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Locale;

    #[test]
    fn the_page_and_the_document_define_every_figure_in_the_same_words() {
        let document = include_str!("../../../docs/measuring.md");
        for &metric in Metric::ALL {
            let row = format!("| `{}` | {} |", metric.name(), metric_help(metric)(Locale::En));
            assert!(document.contains(&row), "{row}");
        }
    }
}
