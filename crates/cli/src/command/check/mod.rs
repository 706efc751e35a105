//! `check`: the connection doctor without a browser, for cron and support.

mod words;

use sightline_core::doctor::{Check, CheckCode, CheckKind, CheckState, DetailLabel, Doctor, Verdict};

use self::words::Words;
use super::{
    ice_servers,
    interrupts::Interrupts,
    output::{AdviceEvent, Event, Output},
    trusted_certificates, warn_of_insecurity,
};
use crate::{
    address::ServerAddress,
    examination::Examination,
    failure::{Exit, Failure},
    options::CheckOptions,
};

/// Details of a row that are printed without `--verbose`.
const SHORT: [DetailLabel; 7] = [
    DetailLabel::RoundTrip,
    DetailLabel::Jitter,
    DetailLabel::Loss,
    DetailLabel::Throughput,
    DetailLabel::Mapping,
    DetailLabel::ValidUntil,
    DetailLabel::Error,
];

pub(super) async fn run(options: &CheckOptions, output: &mut Output) -> Result<(), Failure> {
    let common = &options.common;
    let server = ServerAddress::parse(&common.address_text()?).map_err(|error| {
        Failure::new(Exit::Usage, "address-invalid", format!("This is no server: {error}."))
    })?;
    let tls = trusted_certificates(common).client_config()?;
    let own_servers = ice_servers(&common.ice_servers)?;
    warn_of_insecurity(common, output)?;
    let words = Words::read();
    let mut interrupts = Interrupts::new()?;
    let mut examination = Examination::begin(server, tls, own_servers);
    let mut printed = 0;
    loop {
        let checks = examination.doctor().checks();
        let done = checks.iter().skip(printed).take_while(|check| check.state.is_done());
        for check in done {
            print_row(check, &words, output)?;
            printed += 1;
        }
        if examination.doctor().is_done() {
            break;
        }
        tokio::select! {
            biased;
            () = interrupts.next() => return Err(Failure::interrupted()),
            () = examination.step() => {}
        }
    }
    conclude(examination.doctor(), options.strict, &words, output)
}

fn print_row(check: &Check, words: &Words, output: &Output) -> Result<(), Failure> {
    let Check { id, subject, state, code, details } = check;
    let code = code.unwrap_or(CheckCode::NotTested);
    let sentence = words.result(id.kind, code);
    let mut line = format!("{:<8} {}", state.as_str(), words.kind(id.kind));
    if let Some(subject) = subject {
        line.push_str(&format!(" {subject}"));
    }
    line.push_str(&format!(": {sentence}"));
    let shown = |label: DetailLabel| output.is_verbose() || SHORT.contains(&label);
    for detail in details.iter().filter(|detail| shown(detail.label)) {
        line.push_str(&format!("\n{}: {}", words.label(detail.label), detail.value));
    }
    let is_news = !output.is_quiet() || *state != CheckState::Ok;
    let event = Event::Check {
        check: id.name(),
        subject: subject.as_deref(),
        state: state.as_str(),
        code: code.as_str(),
        sentence,
        details,
    };
    output.event(&event, is_news.then_some(line.as_str()))
}

/// Prints verdict and advice. Returns the failure for the exit code.
fn conclude(doctor: &Doctor, is_strict: bool, words: &Words, output: &Output) -> Result<(), Failure> {
    let (checks, verdict, advice) = (doctor.checks(), doctor.verdict(), doctor.advice());
    let sentence = words.verdict(verdict);
    let result = result(&checks, verdict, is_strict, words);
    let steps = advice.iter().map(|advice| AdviceEvent {
        advice: advice.as_str(),
        who: advice.who().as_str(),
        sentence: words.advice(*advice),
    });
    let steps: Vec<_> = steps.collect();
    let mut line = format!("{sentence}.");
    for (step, advice) in steps.iter().zip(&advice) {
        line.push_str(&format!("\n{}: {}", words.who(advice.who()), step.sentence));
    }
    let is_news = !output.is_quiet() || !steps.is_empty() || result.is_err();
    let event = Event::Verdict { verdict: verdict.as_str(), sentence, advice: steps };
    output.event(&event, is_news.then_some(line.as_str()))?;
    result
}

/// The exit code and the sentence that follow from the verdict, or from a row that says more.
fn result(checks: &[Check], verdict: Verdict, is_strict: bool, words: &Words) -> Result<(), Failure> {
    let of_row = |exit, check: &Check| {
        let code = check.code.unwrap_or(CheckCode::NotTested);
        let sentence = format!("{}: {}", words.kind(check.id.kind), words.result(check.id.kind, code));
        Failure::new(exit, code.as_str(), sentence)
    };
    let with_code = |code| checks.iter().find(|check| check.code == Some(code));
    if let Some(check) = with_code(CheckCode::CertificateRefused) {
        return Err(of_row(Exit::VerificationFailed, check));
    }
    let exit = match verdict {
        Verdict::Direct | Verdict::RelayUdp | Verdict::RelayTcp | Verdict::RelayTls => {
            let bad = || checks.iter().filter(|check| check.state != CheckState::Ok);
            // A row that was not tested fails for a reason that another row names.
            let is_cause = |check: &&Check| {
                check.state == CheckState::Failed && check.code != Some(CheckCode::NotTested)
            };
            return match bad().find(is_cause).or_else(|| bad().next()).filter(|_| is_strict) {
                Some(check) => Err(of_row(Exit::Limited, check)),
                None => Ok(()),
            };
        }
        Verdict::Limited | Verdict::Unknown => Exit::Limited,
        Verdict::Nothing => Exit::NoCalls,
        Verdict::ServerUnreachable | Verdict::Running | Verdict::UnsupportedBrowser => {
            let signaling = checks.iter().find(|check| check.id.kind == CheckKind::Signaling);
            return Err(match signaling {
                Some(check) => {
                    let is_refused =
                        matches!(check.code, Some(CheckCode::SignalingRefused | CheckCode::HostRefused));
                    of_row(if is_refused { Exit::Refused } else { Exit::Unreachable }, check)
                }
                None => Failure::new(Exit::Unreachable, verdict.as_str(), words.verdict(verdict)),
            });
        }
    };
    Err(Failure::new(exit, verdict.as_str(), format!("{}.", words.verdict(verdict))))
}
