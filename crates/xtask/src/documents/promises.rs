//! Checks that every promise in `docs/security.md` names a test, and that the test exists.
//!
//! A promise is a row of a table whose last column is called `test`. In that column a path in backticks is a file, and a name in backticks
//! behind it is a test in this file. The check does not know whether the test shows the promise.

use super::markdown::code_spans;

/// The document with the promises.
pub(super) const PAGE: &str = "docs/security.md";

/// Promises without a test, and tests that are not there. `read` gives the text of a file.
pub(super) fn faults(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut is_promise = false;
    for (number, line) in page.lines().enumerate() {
        let Some(row) = line.strip_prefix('|').and_then(|row| row.strip_suffix('|')) else {
            is_promise = false;
            continue;
        };
        let last = row.rsplit('|').next().unwrap_or_default();
        if last.trim() == "test" {
            is_promise = true;
        } else if is_promise && !last.trim_matches('-').is_empty() {
            faults.extend(
                faults_of_tests(last, &read)
                    .into_iter()
                    .map(|fault| format!("{PAGE}:{}: {fault}", number + 1)),
            );
        }
    }
    faults
}

fn faults_of_tests(tests: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    // The file whose tests are named, its text, and the number of tests that were named.
    let mut file: Option<(&str, Option<String>, usize)> = None;
    let unnamed = |file: &Option<(&str, Option<String>, usize)>| {
        file.as_ref()
            .filter(|(.., named)| *named == 0)
            .map(|(path, ..)| format!("no test of {path} is named"))
    };
    for span in code_spans(tests) {
        if is_file(span) {
            faults.extend(unnamed(&file));
            let text = read(span);
            if text.is_none() {
                faults.push(format!("there is no file {span}"));
            }
            file = Some((span, text, 0));
        } else if is_name(span)
            && let Some((path, text, named)) = &mut file
        {
            *named += 1;
            if text.as_ref().is_some_and(|text| !is_test(path, text, span)) {
                faults.push(format!("there is no test {span} in {path}"));
            }
        }
    }
    faults.extend(unnamed(&file));
    if file.is_none() {
        faults.push("a promise without a test".to_owned());
    }
    faults
}

fn is_file(span: &str) -> bool {
    span.ends_with(".rs") && span.contains('/')
}

/// Whether this is the name of a function of several words.
fn is_name(span: &str) -> bool {
    span.contains('_')
        && span.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether the file has a test of this name: an attribute makes it one, and in the end-to-end tests its registration with the stage.
fn is_test(path: &str, text: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    let lines: Vec<_> = text.lines().collect();
    let Some(at) = lines.iter().position(|line| line.contains(&head)) else { return false };
    if path.starts_with("tests/e2e/") {
        return text.matches(name).count() > 1;
    }
    let before = lines.get(..at).unwrap_or_default();
    let mut attributes =
        before.iter().rev().map(|line| line.trim()).take_while(|line| line.starts_with(['#', '/']));
    attributes.any(|line| line.starts_with("#[") && line.contains("test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| promise | test |\n|---|---|\n";

    fn read(path: &str) -> Option<String> {
        let text = match path {
            "a/b.rs" => {
                "#[test]\nfn one_holds() {}\n\nfn not_a_test() {}\n/// Why.\n#[tokio::test]\nasync fn two_holds() {}\n"
            }
            "tests/e2e/c.rs" => "stage.test(it_holds),\nasync fn it_holds(\n) {\nasync fn it_does_not(",
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn of(tests: &str) -> Vec<String> {
        faults(&format!("{TABLE}| it holds | {tests} |\n"), read)
    }

    #[test]
    fn a_promise_with_tests_that_exist_has_no_fault() {
        assert_eq!(
            of("`a/b.rs`: `one_holds`, `two_holds`; `tests/e2e/c.rs`: `it_holds`, on `log=debug`"),
            [""; 0]
        );
    }

    #[test]
    fn a_promise_without_a_test_or_with_one_that_is_not_there_is_a_fault_with_its_line() {
        let fault = |text: &str| vec![format!("{PAGE}:3: {text}")];
        assert_eq!(of("see the code"), fault("a promise without a test"));
        assert_eq!(of("`a/b.rs`"), fault("no test of a/b.rs is named"));
        assert_eq!(of("`a/b.rs`: `three_holds`"), fault("there is no test three_holds in a/b.rs"));
        assert_eq!(of("`a/b.rs`: `not_a_test`"), fault("there is no test not_a_test in a/b.rs"));
        assert_eq!(of("`a/gone.rs`: `one_holds`"), fault("there is no file a/gone.rs"));
        assert_eq!(
            of("`tests/e2e/c.rs`: `it_does_not`"),
            fault("there is no test it_does_not in tests/e2e/c.rs")
        );
        assert_eq!(of("`a/b.rs`, `tests/e2e/c.rs`: `it_holds`"), fault("no test of a/b.rs is named"));
    }

    #[test]
    fn other_tables_promise_nothing() {
        assert_eq!(faults("| what | value |\n|---|---|\n| room | `team-7` |\n", read), [""; 0]);
        assert_eq!(faults(&format!("{TABLE}\n| what |\n|---|\n| room |\n"), read), [""; 0]);
    }

    #[test]
    fn every_promise_of_this_repository_names_a_test_that_exists() {
        let root = crate::workspace::root();
        let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
        let page = read(PAGE).expect("the document");
        assert_eq!(faults(&page, read), [""; 0]);
        assert!(page.contains("| promise | test |\n"), "the table is recognized by its last column");
    }
}
