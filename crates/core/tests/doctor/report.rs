use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sightline_core::doctor::{MAX_REPORT_LINK_BYTES, Report, ReportUnreadable};
use sightline_protocol::signaling::IceServer;

use crate::world::World;

fn report(world: &World) -> Report {
    let run = world.examine();
    let (checks, servers) = (run.doctor.checks(), run.doctor.ice_servers_of());
    Report::new(&checks, servers, vec!["relay udp".to_owned()], "A browser".to_owned(), 1_790_000_000_000)
}

#[test]
fn a_report_read_from_its_link_equals_the_original() {
    let report = report(&World::open());
    let link = report.to_link().expect("a link");
    assert!(link.len() <= MAX_REPORT_LINK_BYTES);
    assert!(link.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_eq!(Report::from_link(&link), Ok(report));
}

#[test]
fn a_report_has_no_credentials_and_no_whole_address() {
    let mut world = World::open();
    world.ice_servers[0].urls.push("turn:203.0.113.99:3478".to_owned());
    let json = report(&world).to_json();
    for private in ["user", "secret", "203.0.113.7", "203.0.113.99", "192.168.1.5"] {
        assert!(!json.contains(private), "{private} in {json}");
    }
    assert!(json.contains("203.0.x.x") && json.contains("stun:a:3478"), "{json}");
}

#[test]
fn a_report_of_many_servers_fits_in_a_link_without_its_candidates() {
    let urls = (0..16).map(|n| format!("turn:{}{n}.example.org", "a".repeat(60))).collect();
    let ice_servers = vec![IceServer { urls, username: None, credential: None }];
    let report = report(&World { ice_servers, ..World::open() });
    let link = report.to_link().expect("it fits without its candidates");
    assert!(link.len() <= MAX_REPORT_LINK_BYTES);
    assert_eq!(Report::from_link(&link).map(|read| read.verdict), Ok(report.verdict));
}

#[test]
fn an_invalid_report_link_is_refused() {
    let long = "A".repeat(MAX_REPORT_LINK_BYTES + 4);
    for link in ["", "e30", "####", "bnVsbA", &long] {
        assert_eq!(Report::from_link(link), Err(ReportUnreadable), "{link:.10}");
    }
}

#[test]
fn a_forged_report_link_contains_no_hidden_characters_and_no_impossible_time() {
    let link = |json: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let mut json: serde_json::Value = serde_json::from_str(&report(&World::open()).to_json()).unwrap();
    let hidden = "stun:a\u{202e}b\u{200b}\u{e0041}";
    json["browser"] = hidden.into();
    json["calls"] = serde_json::json!([hidden]);
    let check = json["checks"].as_array_mut().unwrap().iter_mut().find(|check| check["details"].is_array());
    let check = check.expect("a row with details");
    (check["subject"], check["details"][0]["value"]) = (hidden.into(), hidden.into());
    let read = Report::from_link(&link(&json)).unwrap();
    assert_eq!((read.browser.as_str(), read.calls[0].as_str()), ("stun:ab", "stun:ab"));
    let shown = read.to_json();
    assert!(shown.contains("stun:ab") && !shown.contains(['\u{202e}', '\u{200b}', '\u{e0041}']), "{shown}");

    json["calls"] = vec!["x"; 65].into();
    assert_eq!(Report::from_link(&link(&json)), Err(ReportUnreadable));
    json["calls"] = serde_json::json!([]);
    for time in [8_640_000_000_000_001_u64, u64::MAX] {
        json["made_at_ms"] = time.into();
        assert_eq!(Report::from_link(&link(&json)), Err(ReportUnreadable));
    }
}
