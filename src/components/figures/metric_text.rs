//! The name of every metric.

use sightline_core::{measure::Metric, with_metrics};

use crate::{language::Sentence, sentence};

macro_rules! define_metric_text {
    ($($variant:ident $name:ident $unit:ident $origin:ident;)+) => {
        /// The name of a metric for people.
        #[must_use]
        pub fn metric_text(metric: Metric) -> Sentence {
            match metric {
                $(Metric::$variant => sentence!(metric.$name),)+
            }
        }
    };
}

with_metrics!(define_metric_text);
