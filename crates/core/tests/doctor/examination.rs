use std::time::Duration;

use sightline_core::doctor::{
    Advice, CHECK_DEADLINE, CertificateFinding, CheckCode, CheckState, Finding, Verdict, Who,
    devices::PictureWatch,
};
use sightline_protocol::signaling::IceServer;

use crate::world::{Way, World, at, candidate};

const OK: (CheckState, Option<CheckCode>) = (CheckState::Ok, Some(CheckCode::Ok));

fn failed(code: CheckCode) -> (CheckState, Option<CheckCode>) {
    (CheckState::Failed, Some(code))
}

fn warning(code: CheckCode) -> (CheckState, Option<CheckCode>) {
    (CheckState::Warning, Some(code))
}

#[test]
fn an_open_network_passes_every_check_and_calls_are_direct() {
    let run = World::open().examine();
    for check in run.doctor.checks() {
        assert_eq!((check.state, check.code), OK, "{}", check.id.name());
    }
    assert_eq!((run.doctor.verdict(), run.doctor.advice()), (Verdict::Direct, vec![]));
    assert_eq!(run.check("stun-udp-2").subject.as_deref(), Some("stun:b:3478"));
}

#[test]
fn own_ice_servers_are_checked_instead_of_those_of_the_server() {
    let own = IceServer { urls: vec!["turn:own".to_owned()], ..World::open().ice_servers.remove(0) };
    let run = World { own_servers: vec![own.clone()], ..World::open() }.examine();
    assert_eq!(run.result("turn-udp"), OK);
    assert_eq!(run.check("turn-udp").subject.as_deref(), Some("turn:own:3478?transport=udp"));
    assert!(run.doctor.checks().iter().all(|check| check.id.name() != "stun-udp"));
    // Also if no server names other ICE servers.
    let run = World { own_servers: vec![own], server: false, signaling: false, ..World::open() }.examine();
    assert_eq!((run.result("turn-udp"), run.result("relay-call")), (OK, OK));
    assert_eq!(run.doctor.verdict(), Verdict::ServerUnreachable);
}

#[test]
fn the_advice_about_faulty_own_servers_is_for_the_user() {
    let own = vec![IceServer { urls: vec!["turn:own".to_owned()], ..World::open().ice_servers.remove(0) }];
    let run = World { own_servers: own.clone(), udp: Way::Unauthorized, ..World::open() }.examine();
    assert_eq!(run.result("turn-udp"), failed(CheckCode::Unauthorized));
    assert_eq!(run.doctor.advice(), [Advice::FixOwnServers]);
    assert_eq!(Advice::FixOwnServers.who(), Who::You);
    // Blocked UDP is still a problem of the network.
    let run = World { own_servers: own, udp: Way::Swallowed, ..World::open() }.examine();
    assert_eq!(run.doctor.advice(), [Advice::OpenUdp]);
}

#[test]
fn one_stun_server_with_two_ports_determines_the_kind_of_nat() {
    let server = IceServer { urls: vec!["stun:a".to_owned()], username: None, credential: None };
    let alone = World { ice_servers: vec![server], ..World::open() };
    assert_eq!(alone.examine().check("nat").code, Some(CheckCode::NatUnknown));
    let open = World { alternate_stun_urls: vec!["stun:a:5349".to_owned()], ..alone };
    let run = open.examine();
    assert_eq!(run.result("nat"), OK);
    assert!(run.doctor.checks().iter().all(|check| check.id.name() != "stun-udp-2"), "for comparing alone");
    let run = World { symmetric: true, ..open }.examine();
    assert_eq!(run.result("nat"), warning(CheckCode::NatSymmetric));
}

#[test]
fn without_udp_calls_use_tcp_and_the_advice_is_to_open_udp() {
    let run = World { udp: Way::Swallowed, ..World::open() }.examine();
    assert_eq!(run.doctor.verdict(), Verdict::RelayTcp);
    assert_eq!(run.result("turn-udp"), failed(CheckCode::Timeout));
    assert_eq!(run.result("turn-tcp"), OK);
    assert_eq!(run.doctor.advice(), [Advice::OpenUdp]);
    assert_eq!(Advice::OpenUdp.who(), Who::Network);
}

#[test]
fn calls_use_tls_if_only_tls_passes() {
    let run = World { udp: Way::Swallowed, tcp: Way::Refused, ..World::open() }.examine();
    assert_eq!(run.doctor.verdict(), Verdict::RelayTls);
    assert_eq!(run.doctor.advice(), [Advice::OpenUdp, Advice::OpenTcp]);
}

#[test]
fn calls_stay_within_the_network_if_no_relay_is_reachable() {
    let run = World { udp: Way::Swallowed, tcp: Way::Refused, tls: Way::Refused, ..World::open() }.examine();
    assert_eq!(run.doctor.verdict(), Verdict::Nothing);
    assert_eq!(run.result("turn-tls"), failed(CheckCode::CertificateOrUnreachable));
    assert_eq!(run.result("relay-call"), failed(CheckCode::NotTested));
}

#[test]
fn a_relay_that_refuses_the_credentials_says_so_and_that_udp_is_open() {
    let refused = Way::Unauthorized;
    let run = World { udp: refused, tcp: refused, tls: refused, ..World::open() }.examine();
    for row in ["turn-udp", "turn-tcp", "turn-tls"] {
        assert_eq!(run.result(row), failed(CheckCode::Unauthorized), "{row}");
    }
    assert_eq!((run.doctor.verdict(), run.doctor.advice()), (Verdict::Direct, vec![Advice::FixCredentials]));
    assert_eq!(Advice::FixCredentials.who(), Who::Operator);
}

#[test]
fn calls_behind_a_symmetric_nat_need_a_relay() {
    let symmetric = World { symmetric: true, ..World::open() };
    let run = symmetric.examine();
    assert_eq!(run.result("nat"), warning(CheckCode::NatSymmetric));
    assert_eq!(run.doctor.verdict(), Verdict::RelayUdp);
    let stun_only =
        IceServer { urls: vec!["stun:a".into(), "stun:b".into()], username: None, credential: None };
    let run = World { ice_servers: vec![stun_only], ..symmetric }.examine();
    assert_eq!((run.doctor.verdict(), run.doctor.advice()), (Verdict::Limited, vec![Advice::AddRelay]));
}

#[test]
fn the_check_distinguishes_a_missing_server_from_a_proxy_that_blocks_websockets() {
    let gone = World { server: false, signaling: false, ..World::open() }.examine();
    assert_eq!(gone.result("signalling"), failed(CheckCode::ServerUnreachable));
    assert_eq!(
        (gone.doctor.verdict(), gone.doctor.advice()),
        (Verdict::ServerUnreachable, vec![Advice::StartServer])
    );
    let proxy = World { signaling: false, ..World::open() }.examine();
    assert_eq!(proxy.result("server"), OK);
    assert_eq!(proxy.result("signalling"), failed(CheckCode::WebsocketBlocked));
    assert_eq!(
        (proxy.doctor.verdict(), proxy.doctor.advice()),
        (Verdict::ServerUnreachable, vec![Advice::AllowWebsocket])
    );
}

#[test]
fn the_advice_about_a_refused_origin_or_host_is_for_the_operator() {
    for (code, advice) in
        [(CheckCode::OriginRefused, Advice::AllowOrigin), (CheckCode::HostRefused, Advice::AllowHost)]
    {
        let run = World { signaling: false, page_refused: Some(code), ..World::open() }.examine();
        assert_eq!(run.result("signalling"), failed(code));
        assert_eq!((run.doctor.verdict(), run.doctor.advice()), (Verdict::ServerUnreachable, vec![advice]));
        assert_eq!(advice.who(), Who::Operator);
    }
}

#[test]
fn a_server_without_ice_servers_leaves_the_network_unknown() {
    let run = World { ice_servers: vec![], ..World::open() }.examine();
    assert_eq!(run.result("relay-call"), warning(CheckCode::NoRelay));
    assert_eq!((run.doctor.verdict(), run.doctor.advice()), (Verdict::Unknown, vec![Advice::AddRelay]));
}

#[test]
fn a_missing_camera_does_not_change_the_network_verdict() {
    let run = World { camera: Some(CheckCode::NoDevice), ..World::open() }.examine();
    assert_eq!(run.result("camera"), failed(CheckCode::NoDevice));
    assert_eq!(run.result("microphone"), OK);
    assert_eq!(run.result("permissions"), OK);
    assert_eq!((run.doctor.verdict(), run.doctor.advice()), (Verdict::Direct, vec![Advice::PlugCamera]));
}

#[test]
fn a_refused_permission_gives_one_advice() {
    let denied = Some(CheckCode::PermissionDenied);
    let run = World { camera: denied, microphone: denied, ..World::open() }.examine();
    assert_eq!(run.result("permissions"), failed(CheckCode::PermissionDenied));
    assert_eq!((run.doctor.verdict(), run.doctor.advice()), (Verdict::Direct, vec![Advice::AllowDevices]));
}

#[test]
fn an_unanswered_permission_prompt_delays_nothing_and_a_late_answer_counts() {
    let run = World { answers_after: None, ..World::open() }.examine();
    assert_eq!(run.result("permissions"), warning(CheckCode::PermissionPending));
    assert_eq!(run.result("camera"), warning(CheckCode::PermissionPending));
    assert_eq!((run.doctor.verdict(), run.doctor.advice()), (Verdict::Direct, vec![Advice::AnswerPrompt]));
    let late = World { answers_after: Some(Duration::from_secs(60)), ..World::open() }.examine();
    assert_eq!(late.result("camera"), OK);
    assert_eq!(late.doctor.advice(), []);
}

#[test]
fn every_check_ends_by_its_deadline_if_nothing_answers() {
    let run = World {
        answers_after: None,
        udp: Way::Swallowed,
        tcp: Way::Swallowed,
        tls: Way::Swallowed,
        relay_carries: false,
        ..World::open()
    }
    .examine();
    assert!(run.doctor.is_done());
    // Four gatherings run at a time, so seven of them take two rounds.
    assert!(run.now <= at(100) + 2 * CHECK_DEADLINE, "{:?}", run.now);
}

#[test]
fn a_relay_that_allocates_an_address_and_relays_nothing_is_detected() {
    let run = World { relay_carries: false, ..World::open() }.examine();
    assert_eq!(run.result("relay-call"), failed(CheckCode::RelayFailed));
    assert_eq!(run.doctor.advice(), [Advice::FixRelay]);
}

#[test]
fn an_invalid_server_address_is_reported_without_being_tried() {
    let mut world = World::open();
    world.ice_servers[0].urls.push("http://example.org".to_owned());
    let run = world.examine();
    assert_eq!(run.result("stun-udp-3"), failed(CheckCode::UrlInvalid));
    assert_eq!(run.doctor.verdict(), Verdict::Direct);
}

#[test]
fn the_number_of_checked_ice_servers_is_bounded() {
    let urls = (0..100).map(|n| format!("turn:h{n}")).collect();
    let ice_servers = vec![IceServer { urls, username: None, credential: None }];
    let run = World { ice_servers, ..World::open() }.examine();
    assert_eq!(run.doctor.checks().iter().filter(|check| check.id.name().starts_with("turn-")).count(), 16);
}

#[test]
fn a_browser_without_webrtc_gathers_nothing_and_gets_that_verdict() {
    let mut world = World::open();
    world.facts.has_web_rtc = false;
    let run = world.examine();
    assert_eq!(run.doctor.verdict(), Verdict::UnsupportedBrowser);
    assert_eq!(run.result("addresses"), warning(CheckCode::NotTested));
}

#[test]
fn an_insecure_page_asks_for_no_devices() {
    let mut world = World::open();
    world.facts.is_secure = false;
    let run = world.examine();
    assert_eq!(run.result("camera"), warning(CheckCode::NotTested));
    assert_eq!((run.doctor.verdict(), run.doctor.advice()), (Verdict::Direct, vec![Advice::UseHttps]));
}

#[test]
fn findings_after_the_end_of_a_check_are_ignored() {
    let mut run = World { udp: Way::Swallowed, ..World::open() }.examine();
    let before = run.doctor.checks();
    for id in run.begun.clone() {
        run.doctor.handle_finding(id, Finding::Server(None), run.now);
        run.doctor.handle_finding(id, candidate("198.51.100.1 60000 typ relay"), run.now);
        run.doctor.handle_finding(id, Finding::GatheringComplete, run.now);
    }
    assert_eq!(run.doctor.checks(), before);
    assert_eq!(run.doctor.poll_timeout(), None);
}

#[test]
fn the_camera_check_distinguishes_black_frozen_and_moving_pictures() {
    let code = |pictures: &[[u8; 4]]| {
        let mut watch = PictureWatch::default();
        pictures.iter().for_each(|picture| watch.handle_picture(picture));
        watch.judge(Vec::new()).code
    };
    assert_eq!(code(&[]), CheckCode::Timeout);
    assert_eq!(code(&[[0, 3, 0, 9]; 9]), CheckCode::PictureBlack);
    assert_eq!(code(&[[200, 30, 0, 9]; 9]), CheckCode::PictureFrozen);
    assert_eq!(code(&[[200, 30, 0, 9], [200, 30, 0, 90]]), CheckCode::Ok);
    assert_eq!(code(&[[200, 30, 0, 9]; 2]), CheckCode::Ok, "two pictures are too few to call it frozen");
}

#[test]
fn the_loopback_call_uses_the_best_working_relay() {
    let subject = |world: World| world.examine().check("relay-call").subject;
    assert_eq!(subject(World::open()).as_deref(), Some("turn:a:3478?transport=udp"));
    let tls_only = World { udp: Way::Swallowed, tcp: Way::Unauthorized, ..World::open() };
    assert_eq!(subject(tls_only).as_deref(), Some("turns:a:5349"));
}

#[test]
fn an_examination_of_the_network_alone_has_no_rows_of_browser_and_devices_and_the_same_verdict() {
    let run = World::open().examine_network(true);
    let names: Vec<_> = run.doctor.checks().iter().map(|check| check.id.name()).collect();
    assert_eq!(
        names,
        [
            "server",
            "certificate",
            "signalling",
            "addresses",
            "stun-udp",
            "stun-udp-2",
            "turn-udp",
            "turn-tcp",
            "turn-tls",
            "nat",
            "relay-call"
        ]
    );
    assert!(run.doctor.checks().iter().all(|check| (check.state, check.code) == OK));
    assert_eq!((run.doctor.verdict(), run.doctor.advice()), (Verdict::Direct, vec![]));
    let run = World::open().examine_network(false);
    assert!(run.doctor.checks().iter().all(|check| check.id.name() != "certificate"));
}

#[test]
fn a_certificate_is_a_warning_when_it_ends_soon_and_a_failure_when_it_is_not_trusted() {
    let with = |certificate| World { certificate, ..World::open() }.examine_network(true);
    let day = Duration::from_hours(24);
    for (days, expected) in [(14, OK), (13, warning(CheckCode::CertificateExpiring))] {
        let until = "2027-01-31".to_owned();
        let run = with(CertificateFinding::Trusted { remaining: days * day, until });
        assert_eq!(run.result("certificate"), expected);
        assert_eq!(run.check("certificate").details[0].value, format!("2027-01-31, {days} d"));
        assert_eq!(run.doctor.verdict(), Verdict::Direct);
    }
    let run = World {
        server: false,
        signaling: false,
        page_refused: Some(CheckCode::CertificateRefused),
        certificate: CertificateFinding::Refused("expired".to_owned()),
        ..World::open()
    }
    .examine_network(true);
    assert_eq!(run.result("certificate"), failed(CheckCode::CertificateRefused));
    assert_eq!(run.result("signalling"), failed(CheckCode::CertificateRefused));
    assert_eq!(run.doctor.verdict(), Verdict::ServerUnreachable);
    assert!(run.doctor.advice().contains(&Advice::RenewCertificate));
    assert_eq!(Advice::RenewCertificate.who(), Who::Operator);
    assert_eq!(with(CertificateFinding::NotReached).result("certificate"), warning(CheckCode::NotTested));
}

#[test]
fn a_program_says_why_it_did_not_reach_the_server() {
    let no_server = Some("connection refused".to_owned());
    let run = World { no_server, signaling: false, ..World::open() }.examine_network(false);
    assert_eq!(run.result("server"), failed(CheckCode::ServerUnreachable));
    assert_eq!(run.check("server").details[0].value, "connection refused");
    assert_eq!(run.result("signalling"), failed(CheckCode::ServerUnreachable));
    assert_eq!(run.doctor.verdict(), Verdict::ServerUnreachable);
    assert!(run.now < at(1_000), "nothing is waited for");
}
