use std::time::Duration;

use sightline_core::doctor::{Gathering, NatMapping};

use crate::world::at;

fn infer(candidates: &[&str], is_complete: bool, errors: usize) -> NatMapping {
    let mut gathering = Gathering::new(None, Duration::from_secs(8), at(0));
    for rest in candidates {
        gathering.handle_candidate(&format!("candidate:1 1 udp 1 {rest}"), at(10));
    }
    for _ in 0..errors {
        gathering.handle_error(701, "", "stun:b", at(20));
    }
    if is_complete {
        gathering.handle_complete();
    }
    NatMapping::infer(&gathering)
}

const HOST: &str = "192.168.1.5 50000 typ host";
const HIDDEN: &str = "aa.local 50000 typ host";

#[test]
fn one_mapping_for_both_servers_is_endpoint_independent() {
    let mapped = "203.0.113.7 40000 typ srflx raddr 192.168.1.5 rport 50000";
    assert_eq!(infer(&[HOST, mapped], true, 0), NatMapping::EndpointIndependent);
    let hidden = "203.0.113.7 40000 typ srflx raddr 0.0.0.0 rport 0";
    assert_eq!(infer(&[HIDDEN, hidden], true, 0), NatMapping::EndpointIndependent);
}

#[test]
fn two_mappings_of_one_socket_are_endpoint_dependent() {
    let mapped = |port| format!("203.0.113.7 {port} typ srflx raddr 192.168.1.5 rport 50000");
    let [one, two] = [mapped(40_000), mapped(40_001)];
    assert_eq!(infer(&[HOST, &one, &two], true, 0), NatMapping::EndpointDependent);
}

#[test]
fn mappings_of_two_sockets_may_differ() {
    let one = "203.0.113.7 40000 typ srflx raddr 192.168.1.5 rport 50000";
    let two = "203.0.113.7 40001 typ srflx raddr 10.0.0.5 rport 50001";
    let other = "10.0.0.5 50001 typ host";
    assert_eq!(infer(&[HOST, other, one, two], true, 0), NatMapping::EndpointIndependent);
}

#[test]
fn two_mappings_with_hidden_base_addresses_are_conclusive_only_for_a_single_socket() {
    let one = "203.0.113.7 40000 typ srflx raddr 0.0.0.0 rport 0";
    let two = "203.0.113.7 40001 typ srflx raddr 0.0.0.0 rport 0";
    assert_eq!(infer(&[HIDDEN, one, two], true, 0), NatMapping::EndpointDependent);
    assert_eq!(infer(&[HIDDEN, "bb.local 50001 typ host", one, two], true, 0), NatMapping::Unknown);
}

#[test]
fn without_translation_the_others_see_an_address_of_this_computer() {
    assert_eq!(infer(&[HOST], true, 0), NatMapping::None);
    assert_eq!(
        infer(&[HOST, "192.168.1.5 50000 typ srflx raddr 0.0.0.0 rport 0"], true, 0),
        NatMapping::None
    );
}

#[test]
fn the_mapping_is_unknown_if_a_server_did_not_answer() {
    let mapped = "203.0.113.7 40000 typ srflx raddr 192.168.1.5 rport 50000";
    assert_eq!(infer(&[HOST, mapped], false, 0), NatMapping::Unknown);
    assert_eq!(infer(&[HOST, mapped], true, 1), NatMapping::Unknown);
    assert_eq!(infer(&[], true, 0), NatMapping::Unknown);
}
