//! More files than may be open at once, from a person and from a hostile member.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    budget::{Bucket, MessageKind},
    random::SeededRandom,
    transfer::{
        FileDescription, KeptNames, MAX_FILES_FROM_HERE, Offered, Records, SinkCommand, TransferHandle,
        TransferOutput, TransferState, TransferTask, TransferView, Transfers,
    },
};
use sightline_protocol::{
    BatchId, MemberId, TransferId,
    control::ControlMessage,
    transfer::{FileOffer, MAX_FILE_BYTES, MAX_OPEN_TRANSFERS, OfferBatch, TransferEnd},
};

const NOW: Timestamp = Timestamp::ZERO;

fn member(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

fn offer(number: u32, name: &str, size_bytes: u64) -> FileOffer {
    FileOffer {
        transfer: TransferId::from_random(u128::from(number) + 1),
        sequence: 1,
        number,
        name: name.to_owned(),
        folder: String::new(),
        size_bytes,
        media_type: String::new(),
        modified_ms: 7,
        is_paused: false,
        batch: None,
    }
}

fn batch(id: &str, files: u64, bytes: u64) -> OfferBatch {
    OfferBatch {
        id: BatchId::new(id).unwrap(),
        files: files.try_into().unwrap(),
        bytes: bytes.try_into().unwrap(),
    }
}

/// A receiver and its outputs.
struct Receiver {
    transfers: Transfers,
    said: Vec<ControlMessage>,
    /// The commands to the sink.
    commanded: Vec<SinkCommand>,
    forgotten: usize,
}

impl Receiver {
    fn new() -> Self {
        let mut transfers = Transfers::new(SeededRandom::new(1));
        transfers.handle_channel_open(&member("mallory"), NOW);
        Self { transfers, said: Vec::new(), commanded: Vec::new(), forgotten: 0 }
    }

    fn offer(&mut self, offer: FileOffer) {
        self.offer_from("mallory", offer);
    }

    fn offer_from(&mut self, name: &str, offer: FileOffer) {
        self.transfers.handle_offer(&member(name), offer, NOW);
        self.settle();
    }

    /// Clicks "Accept all" on the present state of the page.
    fn accept_all(&mut self) {
        self.transfers.accept_all(self.transfers.offered());
        self.settle();
    }

    fn count(&self, state: TransferState) -> usize {
        self.views().iter().filter(|view| view.state == state).count()
    }

    fn withdraw(&mut self, number: u32) {
        let transfer = TransferId::from_random(u128::from(number) + 1);
        self.transfers.handle_end(&member("mallory"), &transfer, TransferEnd::Cancelled, NOW);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(output) = self.transfers.poll_output() {
            match output {
                TransferOutput::Send(_, message) => self.said.push(message),
                TransferOutput::Perform(TransferTask::Sink(_, command)) => self.commanded.push(command),
                TransferOutput::Perform(TransferTask::Forgotten(_)) => self.forgotten += 1,
                TransferOutput::Perform(_) => {}
            }
        }
    }

    fn views(&self) -> Vec<TransferView> {
        let handles = (1..=self.transfers.last_handle()).map(TransferHandle);
        handles.filter_map(|handle| self.transfers.view(handle)).collect()
    }
}

fn described(at: usize, length: usize) -> FileDescription {
    FileDescription {
        name: format!("{at}.txt"),
        folder: "work".to_owned(),
        size_bytes: length as u64,
        modified_ms: 7,
        ..FileDescription::default()
    }
}

#[test]
fn files_beyond_the_limit_are_offered_as_others_end_and_none_is_left_out() {
    const WAITING: usize = 100;
    let mut transfers = Transfers::new(SeededRandom::new(1));
    transfers.handle_channel_open(&member("bob"), NOW);
    let mut offered = Vec::new();
    let mut settle = |transfers: &mut Transfers| {
        while let Some(output) = transfers.poll_output() {
            if let TransferOutput::Send(_, ControlMessage::TransferOffer(offer)) = output {
                offered.push(offer);
            }
        }
        offered.clone()
    };
    for at in 0..MAX_OPEN_TRANSFERS + WAITING {
        transfers.choose(described(at, 3), &[member("bob")], None, NOW).unwrap();
    }
    assert_eq!(settle(&mut transfers).len(), MAX_OPEN_TRANSFERS);
    assert_eq!(transfers.backlog().queued, WAITING);
    assert_eq!(
        transfers.backlog().names[0],
        format!("{MAX_OPEN_TRANSFERS}.txt"),
        "the first waiting file is listed"
    );
    let first = settle(&mut transfers);
    for (ended, offer) in first[..WAITING].iter().enumerate() {
        transfers.handle_end(&member("bob"), &offer.transfer, TransferEnd::Declined, NOW);
        assert_eq!(
            settle(&mut transfers).len(),
            MAX_OPEN_TRANSFERS + ended + 1,
            "one more for each that ended"
        );
    }
    let all = settle(&mut transfers);
    assert_eq!(transfers.backlog().queued, 0);
    let names: std::collections::BTreeSet<_> = all.iter().map(|offer| offer.name.clone()).collect();
    assert_eq!(names.len(), MAX_OPEN_TRANSFERS + WAITING);
}

/// Twice as many as may be open at once.
const MAX_KEPT: usize = 2 * MAX_OPEN_TRANSFERS;

#[test]
fn the_latest_four_thousand_ended_files_from_here_stay_in_the_list() {
    let mut transfers = Transfers::new(SeededRandom::new(1));
    transfers.handle_channel_open(&member("bob"), NOW);
    let mut forgotten = Vec::new();
    let mut choose_and_decline = |transfers: &mut Transfers, at: usize| {
        // Offers are sent at a limited rate.
        let now = NOW + Duration::from_secs(at as u64);
        transfers.choose(described(at, 3), &[member("bob")], None, now).unwrap();
        while let Some(output) = transfers.poll_output() {
            match output {
                TransferOutput::Send(_, ControlMessage::TransferOffer(offer)) => {
                    transfers.handle_end(&member("bob"), &offer.transfer, TransferEnd::Declined, now);
                }
                TransferOutput::Perform(TransferTask::Forgotten(handle)) => forgotten.push(handle),
                _ => {}
            }
        }
        forgotten.clone()
    };
    for at in 0..MAX_KEPT {
        assert_eq!(choose_and_decline(&mut transfers, at), []);
    }
    let first =
        (1..=transfers.last_handle()).map(TransferHandle).find(|handle| transfers.view(*handle).is_some());
    assert_eq!(choose_and_decline(&mut transfers, MAX_KEPT), [first.unwrap()]);
}

#[test]
fn files_chosen_in_an_empty_room_are_offered_to_members_that_join() {
    let mut transfers = Transfers::new(SeededRandom::new(1));
    let pick = transfers.choose(described(1, 3), &[], None, NOW).unwrap();
    let other = transfers.choose(described(2, 3), &[], Some(&member("bob")), NOW).unwrap();
    assert_eq!(transfers.backlog().waiting, 2);
    assert_eq!(transfers.backlog().names, ["1.txt", "2.txt"]);
    let offered = |transfers: &mut Transfers, name: &str| {
        transfers.handle_channel_open(&member(name), NOW);
        let mut found = Vec::new();
        while let Some(output) = transfers.poll_output() {
            match output {
                TransferOutput::Perform(TransferTask::Attach { pick, .. }) => {
                    found.push((pick, String::new()));
                }
                TransferOutput::Send(to, ControlMessage::TransferOffer(offer)) => {
                    assert_eq!(to, member(name));
                    found.last_mut().unwrap().1 = offer.name;
                }
                _ => {}
            }
        }
        found
    };
    assert_eq!(offered(&mut transfers, "ada"), [(pick, "1.txt".to_owned())]);
    assert_eq!(transfers.backlog().waiting, 1);
    assert_eq!(offered(&mut transfers, "bob"), [(other, "2.txt".to_owned())]);
    assert_eq!(transfers.backlog().waiting, 0);
    assert_eq!(offered(&mut transfers, "carol"), []);
}

/// Whether the page has to write its records again.
fn are_records_old(transfers: &mut Transfers) -> bool {
    std::iter::from_fn(|| transfers.poll_output())
        .any(|output| matches!(output, TransferOutput::Perform(TransferTask::RecordsChanged)))
}

#[test]
fn the_names_of_waiting_files_are_reported_after_a_reload() {
    let mut transfers = Transfers::new(SeededRandom::new(1));
    for at in 0..30 {
        transfers.choose(described(at, 3), &[], None, NOW).unwrap();
    }
    transfers
        .choose(FileDescription { folder: "work".to_owned(), ..described(30, 3) }, &[], None, NOW)
        .unwrap();
    assert!(are_records_old(&mut transfers), "the names are to be kept");
    let kept = Records::from_json(&transfers.records().to_json()).unwrap();
    let mut again = Transfers::new(SeededRandom::new(2));
    let told = again.restore(kept, NOW);
    assert!(
        are_records_old(&mut again) && again.records().is_empty(),
        "a second reload does not tell it again"
    );
    let [files] = told.files() else { panic!("{told:?}") };
    assert_eq!((files.reason.as_str(), files.count, files.names.len()), ("files-forgotten", 31, 20));

    transfers.handle_channel_open(&member("ada"), NOW);
    let given_away = transfers.records();
    assert_eq!(given_away.waiting, KeptNames::default());
    assert!(Transfers::new(SeededRandom::new(2)).restore(given_away, NOW).is_empty());
}

#[test]
fn records_of_an_older_version_are_readable() {
    let kept = Records::from_json(r#"{"sending":[],"receiving":[]}"#).unwrap();
    assert!(kept.is_empty());
}

#[test]
fn waiting_files_can_be_cancelled() {
    let mut transfers = Transfers::new(SeededRandom::new(1));
    transfers.choose(described(1, 3), &[], None, NOW).unwrap();
    transfers.cancel_backlog();
    assert_eq!(transfers.backlog().waiting, 0);
    transfers.handle_channel_open(&member("ada"), NOW);
    while let Some(output) = transfers.poll_output() {
        assert!(!matches!(output, TransferOutput::Send(..)), "{output:?}");
    }
}

#[test]
fn a_thousand_offers_of_one_name_get_distinct_names_and_more_offers_are_refused() {
    let mut receiver = Receiver::new();
    for number in 0..MAX_OPEN_TRANSFERS as u32 + 500 {
        receiver.offer(offer(number, "same.txt", 5));
    }
    let views = receiver.views();
    assert_eq!(views.len(), MAX_OPEN_TRANSFERS);
    let names: std::collections::BTreeSet<_> = views.iter().map(|view| view.name.clone()).collect();
    assert_eq!(names.len(), MAX_OPEN_TRANSFERS);
    assert_eq!(receiver.transfers.backlog().refused, 500, "the refusals are counted for display");
    let is_refusal = |message: &&ControlMessage| {
        matches!(message, ControlMessage::TransferEnd { reason: TransferEnd::TooMany, .. })
    };
    assert_eq!(receiver.said.iter().filter(is_refusal).count(), 500, "and so is the sender");
}

#[test]
fn thirty_thousand_offers_that_are_taken_back_leave_a_short_list() {
    let mut receiver = Receiver::new();
    receiver.offer(offer(0, "wanted.txt", 5));
    for number in 1..30_000 {
        receiver.offer(offer(number, "same.txt", 5));
        receiver.withdraw(number);
    }
    let views = receiver.views();
    assert!(views.len() <= 21, "{}", views.len());
    assert_eq!((views[0].name.as_str(), views[0].state), ("wanted.txt", TransferState::Offered));
}

#[test]
fn a_declined_file_that_is_offered_again_keeps_its_name() {
    let mut receiver = Receiver::new();
    for (number, name) in [(0, "plan.txt"), (1, "plan.txt"), (2, "PLAN.txt")] {
        receiver.offer(offer(number, name, 5));
        let views = receiver.views();
        assert_eq!(views.last().unwrap().name, name);
        let handle = TransferHandle(receiver.transfers.last_handle());
        if number == 0 {
            receiver.transfers.decline(handle, NOW);
        } else {
            receiver.transfers.accept(handle);
            receiver.transfers.cancel(handle, NOW);
        }
        receiver.settle();
    }
}

#[test]
fn no_number_of_a_peer_overflows() {
    for size_bytes in [MAX_FILE_BYTES + 1, u64::MAX - 1, u64::MAX] {
        let mut receiver = Receiver::new();
        receiver.offer(offer(1, "huge.bin", size_bytes));
        let view = receiver.views().pop().unwrap();
        assert_eq!((view.state, view.end), (TransferState::Failed, Some(TransferEnd::TooLarge)));
        let end = receiver.said.pop();
        assert!(
            matches!(end, Some(ControlMessage::TransferEnd { reason: TransferEnd::TooLarge, .. })),
            "{end:?}"
        );
    }
    let mut receiver = Receiver::new();
    receiver.offer(FileOffer { modified_ms: u64::MAX, ..offer(1, "a", 5) });
    receiver.offer(FileOffer { name: "a".repeat(2000), ..offer(2, "a", 5) });
    receiver.offer(FileOffer { folder: "a/".repeat(4000), ..offer(3, "a", 5) });
    assert!(receiver.views().is_empty());
    // The largest file that is accepted, with all other numbers at their maximum.
    receiver.offer(FileOffer { sequence: u32::MAX, number: u32::MAX, ..offer(4, "a", MAX_FILE_BYTES) });
    assert_eq!(receiver.views()[0].state, TransferState::Offered);
}

#[test]
fn an_unaccepted_offer_does_not_touch_the_disk() {
    let mut receiver = Receiver::new();
    for number in 0..500 {
        receiver.offer(offer(number, "a", 5));
        receiver.withdraw(number);
    }
    receiver.offer(offer(500, "a", 5));
    receiver.offer(FileOffer { sequence: 2, ..offer(500, "another file under the same id", 5) });
    receiver.offer(offer(501, "declined", 5));
    receiver.transfers.decline_all(NOW);
    receiver.settle();
    assert_eq!(receiver.commanded, []);

    receiver.offer(offer(502, "accepted", 5));
    receiver.accept_all();
    assert!(matches!(receiver.commanded[..], [SinkCommand::Open { .. }]), "{:?}", receiver.commanded);
    receiver.withdraw(502);
    assert!(matches!(receiver.commanded[1..], [SinkCommand::Discard { .. }]), "{:?}", receiver.commanded);
}

#[test]
fn all_that_is_offered_can_be_accepted_or_declined_at_once() {
    for accepts in [true, false] {
        let mut receiver = Receiver::new();
        (0..1_100).for_each(|number| receiver.offer(offer(number, &format!("{number}.txt"), 5)));
        assert_eq!(receiver.transfers.offered().files, 1_100);
        if accepts {
            receiver.accept_all();
        } else {
            receiver.transfers.decline_all(NOW);
        }
        receiver.settle();
        assert_eq!(receiver.transfers.offered(), Offered::default());
        let declined = receiver.views().iter().filter(|view| view.end == Some(TransferEnd::Declined)).count();
        assert_eq!(declined > 0, !accepts);
    }
}

#[test]
fn the_unaccepted_offers_of_a_member_disappear_when_it_is_cut_off() {
    let mut receiver = Receiver::new();
    (0..100).for_each(|number| receiver.offer(offer(number, "a", 5)));
    receiver.withdraw(0);
    let taken = receiver.views()[1].clone();
    receiver.transfers.accept(TransferHandle(2));
    receiver.transfers.forget_offers_of(&member("bob"));
    receiver.settle();
    assert_eq!(receiver.forgotten, 0);
    receiver.transfers.forget_offers_of(&member("mallory"));
    receiver.settle();
    let left: Vec<_> = receiver.views().iter().map(|view| view.id.clone()).collect();
    assert_eq!((receiver.forgotten, left), (99, vec![taken.id]));
}

/// An offer of a batch; each offer repeats the announcement of the batch.
fn of_batch(number: u32, announced: &OfferBatch, size_bytes: u64) -> FileOffer {
    FileOffer { batch: Some(announced.clone()), ..offer(number, &format!("{number}.txt"), size_bytes) }
}

#[test]
fn one_answer_covers_files_of_the_same_batch_that_are_offered_later() {
    for accepts in [true, false] {
        let mut receiver = Receiver::new();
        let announced = batch("b1", 10, 50);
        (0..3).for_each(|number| receiver.offer(of_batch(number, &announced, 5)));
        let shown = receiver.transfers.offered();
        assert_eq!((shown.files, shown.files_to_come, shown.bytes), (3, 7, 50));
        if accepts {
            receiver.accept_all();
        } else {
            receiver.transfers.decline_all(NOW);
        }
        (3..10).for_each(|number| receiver.offer(of_batch(number, &announced, 5)));
        assert_eq!(receiver.transfers.offered(), Offered::default(), "nothing is asked again");
        let state = if accepts { TransferState::Running } else { TransferState::Declined };
        assert_eq!(receiver.count(state), 10);
        assert_eq!(receiver.commanded.is_empty(), !accepts);
        let is_declined = |message: &&ControlMessage| {
            matches!(message, ControlMessage::TransferEnd { reason: TransferEnd::Declined, .. })
        };
        assert_eq!(receiver.said.iter().filter(is_declined).count(), if accepts { 0 } else { 10 });
    }
}

#[test]
fn the_offered_files_say_how_many_members_offer_them() {
    let mut receiver = Receiver::new();
    assert_eq!(receiver.transfers.offered().members, 0);
    receiver.offer(offer(1, "a", 5));
    receiver.offer(offer(2, "b", 5));
    assert_eq!(receiver.transfers.offered().members, 1);
    receiver.offer_from("eve", offer(3, "c", 5));
    assert_eq!(receiver.transfers.offered().members, 2);
    receiver.accept_all();
    assert_eq!(receiver.transfers.offered().members, 0);
}

#[test]
fn an_answer_covers_no_more_than_was_shown() {
    let announced = batch("b1", 4, 100);
    let lies: [(&str, FileOffer); 5] = [
        ("larger files", of_batch(10, &announced, 96)),
        ("a total that grows", of_batch(10, &batch("b1", 4, 1_000), 5)),
        ("a count that grows", of_batch(10, &batch("b1", 400, 100), 5)),
        ("another batch", of_batch(10, &batch("b2", 4, 100), 5)),
        ("no batch", offer(10, "a", 5)),
    ];
    for (what, lie) in lies {
        let mut receiver = Receiver::new();
        receiver.offer(of_batch(0, &announced, 5));
        receiver.accept_all();
        receiver.offer(lie);
        assert_eq!(receiver.transfers.offered().files, 1, "{what}");
        receiver.offer(of_batch(1, &announced, 5));
        assert_eq!(
            (receiver.transfers.offered().files, receiver.count(TransferState::Running)),
            (1, 2),
            "{what}"
        );
    }

    // More files than announced, each withdrawn so that their number is not visible.
    let mut receiver = Receiver::new();
    receiver.offer(of_batch(0, &announced, 5));
    receiver.accept_all();
    for number in 1..100 {
        receiver.offer(of_batch(number, &announced, 5));
        if number < 4 {
            assert_eq!(receiver.transfers.offered().files, 0);
        }
        receiver.withdraw(number);
    }
    assert_eq!(
        receiver.commanded.iter().filter(|command| matches!(command, SinkCommand::Open { .. })).count(),
        4
    );

    // A batch with the same id from another member is another batch.
    let mut receiver = Receiver::new();
    receiver.offer(of_batch(0, &announced, 5));
    receiver.accept_all();
    receiver.offer_from("trudy", of_batch(1, &announced, 5));
    assert_eq!(receiver.transfers.offered().files, 1);
    // After its sender was cut off, the answer no longer counts.
    receiver.transfers.forget_offers_of(&member("mallory"));
    receiver.offer(of_batch(2, &announced, 5));
    assert_eq!(receiver.transfers.offered().files, 2);
}

#[test]
fn paused_files_leave_the_storage_to_the_others_of_their_sender() {
    let mut receiver = Receiver::new();
    let opened = |receiver: &Receiver| {
        receiver.commanded.iter().filter(|command| matches!(command, SinkCommand::Open { .. })).count()
    };
    for number in 0..33 {
        receiver.offer(offer(number, &format!("{number}.txt"), 5));
    }
    receiver.accept_all();
    assert_eq!(opened(&receiver), 32, "as many at a time as a browser can open");
    receiver.transfers.pause(TransferHandle(1), true, NOW);
    receiver.settle();
    assert_eq!(opened(&receiver), 33, "the last one begins in place of the paused one");
    receiver.offer(FileOffer { is_paused: true, ..offer(33, "paused-by-its-sender.txt", 5) });
    receiver.offer(offer(34, "one-too-many.txt", 5));
    receiver.accept_all();
    assert_eq!(opened(&receiver), 34);
}

#[test]
fn a_click_accepts_only_the_offers_shown_beside_the_button() {
    let mut receiver = Receiver::new();
    receiver.offer(of_batch(0, &batch("b1", 2, 10), 5));
    let shown = receiver.transfers.offered();
    receiver.offer(offer(1, "meanwhile.txt", MAX_FILE_BYTES));
    receiver.offer(of_batch(2, &batch("b2", 1_000, MAX_FILE_BYTES), 5));
    receiver.transfers.accept_all(shown);
    receiver.settle();
    receiver.offer(of_batch(3, &batch("b1", 2, 10), 5));
    receiver.offer(of_batch(4, &batch("b2", 1_000, MAX_FILE_BYTES), 5));
    assert_eq!((receiver.count(TransferState::Running), receiver.count(TransferState::Offered)), (2, 3));
}

#[test]
fn announcements_without_end_are_bounded_and_add_up_without_wrapping() {
    let mut receiver = Receiver::new();
    for number in 0..1_000 {
        receiver.offer(of_batch(number, &batch(&format!("b{number}"), 20_000, MAX_FILE_BYTES), 0));
    }
    let shown = receiver.transfers.offered();
    assert_eq!((shown.files, shown.files_to_come), (1_000, 32 * 19_999), "the latest 32 announcements count");
    receiver.accept_all();
    receiver.offer(of_batch(1_000, &batch("b0", 20_000, MAX_FILE_BYTES), 5));
    assert_eq!(receiver.transfers.offered().files, 1, "a forgotten announcement has no answer");
}

#[test]
fn a_large_choice_is_announced_with_all_its_files_and_offered_within_the_budget_of_the_receiver() {
    const FILES: usize = 5_000;
    let mut sender = Transfers::new(SeededRandom::new(1));
    sender.handle_channel_open(&member("bob"), NOW);
    let files: Vec<_> = (0..FILES).map(|at| described(at, 3)).collect();
    let announced = sender.announce(&files, 1);
    assert_eq!(announced.as_ref().map(|all| (all.files.get(), all.bytes.get())), Some((5_000, 15_000)));
    for file in files {
        sender
            .choose(FileDescription { batch: announced.clone(), ..file }, &[member("bob")], None, NOW)
            .unwrap();
    }
    let mut receiver = Transfers::new(SeededRandom::new(2));
    let (mut now, mut budget, mut offered) = (NOW, Bucket::default(), 0);
    while offered < FILES {
        while let Some(output) = sender.poll_output() {
            let TransferOutput::Send(_, ControlMessage::TransferOffer(offer)) = output else { continue };
            assert!(budget.take(MessageKind::Offer.limit(), 1, now), "{offered} at {now:?}");
            receiver.handle_offer(&member("ada"), offer, now);
            offered += 1;
        }
        receiver.decline_all(now);
        while let Some(output) = receiver.poll_output() {
            if let TransferOutput::Send(_, ControlMessage::TransferEnd { transfer, reason }) = output {
                sender.handle_end(&member("bob"), &transfer, reason, now);
            }
        }
        now = now + Duration::from_millis(100);
        sender.handle_timeout(now);
        assert!(now.since(NOW) < Duration::from_secs(120), "{offered} after two minutes");
    }
    assert_eq!(sender.backlog().queued, 0);
    assert_eq!(receiver.offered(), Offered::default());
}

#[test]
fn an_announcement_contains_only_files_that_can_be_sent() {
    let mut sender = Transfers::new(SeededRandom::new(1));
    let one = [described(0, 3)];
    assert_eq!(sender.announce(&one, 1), None, "one file is no batch");
    let many: Vec<_> = (0..30_000).map(|at| described(at, 1)).collect();
    assert_eq!(sender.announce(&many, 1).unwrap().files.get(), 20_000);
    assert_eq!(sender.announce(&many, 3).unwrap().files.get(), 6_666);
    let huge = [described(0, usize::MAX), described(1, usize::MAX)];
    assert_eq!(sender.announce(&huge, 1), None);
}

#[test]
fn later_choices_that_are_complete_do_not_displace_one_that_is_not() {
    let mut receiver = Receiver::new();
    let large = batch("large", 3, 15);
    receiver.offer(of_batch(0, &large, 5));
    receiver.accept_all();
    for number in 1..100 {
        receiver.offer(of_batch(number, &batch(&format!("b{number}"), 1, 5), 5));
    }
    receiver.transfers.decline_all(NOW);
    receiver.settle();
    receiver.offer(of_batch(100, &large, 5));
    assert_eq!(receiver.transfers.offered().files, 0);
}

#[test]
fn twenty_thousand_files_are_taken_and_one_more_is_refused() {
    let mut sender = Transfers::new(SeededRandom::new(1));
    sender.handle_channel_open(&member("bob"), NOW);
    for at in 0..MAX_FILES_FROM_HERE {
        sender.choose(described(at, 3), &[member("bob")], None, NOW).unwrap();
        while sender.poll_output().is_some() {}
    }
    assert_eq!(sender.backlog().queued, MAX_FILES_FROM_HERE - MAX_OPEN_TRANSFERS);
    let one_more = sender.choose(described(0, 3), &[member("bob")], None, NOW);
    assert_eq!(one_more, Err(TransferEnd::TooMany));
}
