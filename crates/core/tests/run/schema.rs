//! Written reports match `docs/report.schema.json`, and contain nothing else.

use serde_json::Value;

use crate::{report::reports, schema_check::check};

#[test]
fn a_report_conforms_to_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/report.schema.json")).unwrap();
    for report in reports() {
        let value: Value = serde_json::from_str(&report.to_json()).unwrap();
        check(&value, &schema, &schema, "report");
    }
}
