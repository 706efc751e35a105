//! JSON Schema, as far as `docs/report.schema.json` uses it.

use serde_json::Value;

/// Checks a value against the parts of JSON Schema that the file uses, and refuses undeclared members.
pub(crate) fn check(value: &Value, schema: &Value, root: &Value, path: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let defined = root.pointer(name.trim_start_matches('#')).expect("a definition");
        return check(value, defined, root, path);
    }
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant, "{path}");
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{path}: {value}");
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed: Vec<_> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        Value::String(kind) => vec![kind.as_str()],
        _ => vec![kind],
    };
    assert!(allowed.contains(&kind) || (kind == "integer" && allowed.contains(&"number")), "{path}: {value}");
    for (bound, holds) in [("minimum", f64::ge as fn(&f64, &f64) -> bool), ("maximum", f64::le)] {
        if let (Some(bound), Some(number)) = (schema[bound].as_f64(), value.as_f64()) {
            assert!(holds(&number, &bound), "{path}: {number}");
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let defined = schema["properties"].get(name);
        check(
            member,
            defined.unwrap_or_else(|| panic!("{path}.{name} is not described")),
            root,
            &format!("{path}.{name}"),
        );
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(value.is_null() || value.get(name).is_some(), "{path}.{name} is missing");
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        let defined = schema["prefixItems"].get(at).unwrap_or(&schema["items"]);
        check(item, defined, root, &format!("{path}[{at}]"));
    }
}
