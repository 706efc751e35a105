//! The order of raised hands.
//!
//! Pages have no common clock, so a hand carries a number: one more than the greatest number that its page sees raised. Every page
//! orders the hands by their numbers, and equal numbers by the member id: two pages that raise their hands before they hear of each
//! other choose the same number. Therefore all pages show the same order, also a page that came later.
//!
//! A hostile member that claims the greatest number makes all later hands equal to its own. It cannot make two pages disagree.

use sightline_protocol::MemberId;

use crate::short_list;

/// The number of a hand that is raised while others are.
pub(super) fn next_number(raised: impl Iterator<Item = u32>) -> u32 {
    raised.max().map_or(1, |greatest| greatest.saturating_add(1))
}

/// The members with a raised hand, in the order in which they raised it. `None` is this page, whose member id is `local`.
pub(super) fn in_order<'a>(
    hands: impl Iterator<Item = (u32, Option<&'a MemberId>)>,
    local: Option<&'a MemberId>,
) -> Vec<Option<MemberId>> {
    let mut hands: Vec<_> = hands.collect();
    let place = |(number, member): &(u32, Option<&'a MemberId>)| (*number, member.or(local));
    short_list::sort_by(&mut hands, |one, other| place(one).cmp(&place(other)));
    hands.into_iter().map(|(_, member)| member.cloned()).collect()
}
