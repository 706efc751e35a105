//! The leading side's plan for a connection that carries no data.

use std::time::Duration;

use super::Health;
use crate::Timestamp;

/// How long a cut may heal by itself before any step is taken.
pub const SELF_HEALING: Duration = Duration::from_secs(2);
/// How long an ICE restart may take before a new connection is built beside the old one.
const RESTART_PATIENCE: Duration = Duration::from_secs(2);
/// How long a new connection may take to carry data before the next is tried.
pub const ATTEMPT_DEADLINE: Duration = Duration::from_secs(10);
/// Least time from the beginning of one attempt to the beginning of the next.
pub const ATTEMPT_SPACING: Duration = Duration::from_secs(4);
/// Number of attempts that follow each other without a pause.
const EAGER_ATTEMPTS: u32 = 6;
/// Longest pause after a failed attempt.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The next step of a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepairAction {
    /// Offer new ICE credentials on the old connection.
    RestartIce,
    /// Build the connection of the next generation beside the old one.
    BuildNext,
}

/// The situation that the plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// Health of the connection in use.
    pub health: Health,
    /// Whether signals can reach the other side.
    pub is_reachable: bool,
    /// Whether an attempt is under way.
    pub has_attempt: bool,
}

/// Plans the repair of the connection to one member. On the following side it only records since when there is trouble.
#[derive(Debug, Default)]
pub struct Repair {
    since: Option<Timestamp>,
    restarted_at: Option<Timestamp>,
    /// Failed attempts since the trouble began.
    failures: u32,
    attempted_at: Option<Timestamp>,
    /// No attempt begins before this time.
    pause_until: Option<Timestamp>,
}

impl Repair {
    /// Since when there is trouble, if there is any.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Takes the health of the connection in use. Returns whether trouble just began.
    pub fn handle_health(&mut self, health: Health, now: Timestamp) -> bool {
        match health {
            Health::Carrying | Health::Pending => {
                *self = Self::default();
                false
            }
            Health::Troubled | Health::Dead => self.since.replace(self.since.unwrap_or(now)).is_none(),
        }
    }

    /// Notes that an attempt did not come up, or failed before it carried data.
    pub fn handle_attempt_failed(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        let pause = match self.failures.checked_sub(EAGER_ATTEMPTS) {
            None => Duration::ZERO,
            Some(late) => Duration::from_secs(1 << late.min(8)).min(LONGEST_PAUSE),
        };
        let spaced = self.attempted_at.map_or(now, |began| began + ATTEMPT_SPACING);
        self.pause_until = Some((now + pause).max(spaced));
    }

    /// Notes that signals reach the other side again: the pause ends at once.
    pub fn handle_reachable(&mut self) {
        self.pause_until = self.attempted_at.map(|began| began + ATTEMPT_SPACING);
    }

    /// The next step of the leading side, if one is due. The step counts as taken.
    pub fn poll_action(&mut self, situation: Situation, now: Timestamp) -> Option<RepairAction> {
        if self.due(situation)? > now {
            return None;
        }
        if situation.health == Health::Troubled && self.restarted_at.is_none() {
            self.restarted_at = Some(now);
            Some(RepairAction::RestartIce)
        } else {
            self.attempted_at = Some(now);
            Some(RepairAction::BuildNext)
        }
    }

    /// The time at which [`Self::poll_action`] returns a step in this situation.
    #[must_use]
    pub fn due(&self, situation: Situation) -> Option<Timestamp> {
        let since = self.since?;
        if !situation.is_reachable || situation.has_attempt {
            return None;
        }
        let after_pause = |due: Timestamp| self.pause_until.map_or(due, |pause| pause.max(due));
        match (situation.health, self.restarted_at) {
            (Health::Dead, _) => Some(after_pause(since)),
            (Health::Troubled, None) => Some(since + SELF_HEALING),
            (Health::Troubled, Some(restarted_at)) => Some(after_pause(restarted_at + RESTART_PATIENCE)),
            (Health::Carrying | Health::Pending, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TROUBLED: Situation =
        Situation { health: Health::Troubled, is_reachable: true, has_attempt: false };
    const DEAD: Situation = Situation { health: Health::Dead, ..TROUBLED };

    fn at_ms(milliseconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(milliseconds)
    }

    fn in_trouble() -> Repair {
        let mut repair = Repair::default();
        assert!(repair.handle_health(Health::Troubled, at_ms(0)));
        assert!(!repair.handle_health(Health::Troubled, at_ms(100)), "it began before");
        repair
    }

    #[test]
    fn a_short_cut_is_left_to_heal_by_itself() {
        let mut repair = in_trouble();
        assert_eq!(repair.poll_action(TROUBLED, at_ms(1_999)), None);
        repair.handle_health(Health::Carrying, at_ms(1_999));
        assert_eq!(
            repair.poll_action(Situation { health: Health::Carrying, ..TROUBLED }, at_ms(60_000)),
            None
        );
        assert_eq!(repair.since(), None);
    }

    #[test]
    fn ice_is_restarted_once_and_two_seconds_later_a_new_connection_is_built() {
        let mut repair = in_trouble();
        assert_eq!(repair.due(TROUBLED), Some(at_ms(2_000)));
        assert_eq!(repair.poll_action(TROUBLED, at_ms(2_000)), Some(RepairAction::RestartIce));
        assert_eq!(repair.poll_action(TROUBLED, at_ms(3_999)), None);
        assert_eq!(repair.poll_action(TROUBLED, at_ms(4_000)), Some(RepairAction::BuildNext));
        assert_eq!(repair.poll_action(Situation { has_attempt: true, ..TROUBLED }, at_ms(60_000)), None);
    }

    #[test]
    fn a_repair_starts_as_soon_as_signaling_reaches_the_other_side() {
        let mut repair = in_trouble();
        let unreachable = Situation { is_reachable: false, ..TROUBLED };
        assert_eq!(repair.poll_action(unreachable, at_ms(30_000)), None);
        assert_eq!(repair.poll_action(TROUBLED, at_ms(30_000)), Some(RepairAction::RestartIce));
        assert_eq!(repair.poll_action(TROUBLED, at_ms(32_000)), Some(RepairAction::BuildNext));
    }

    #[test]
    fn a_dead_connection_is_replaced_without_a_restart() {
        let mut repair = Repair::default();
        repair.handle_health(Health::Dead, at_ms(0));
        assert_eq!(repair.poll_action(DEAD, at_ms(0)), Some(RepairAction::BuildNext));
    }

    #[test]
    fn attempts_that_fail_at_once_are_spaced_and_later_ones_pause_up_to_a_bound() {
        let mut repair = Repair::default();
        repair.handle_health(Health::Dead, at_ms(0));
        let mut now = at_ms(0);
        let mut gaps = Vec::new();
        for _ in 0..20 {
            assert_eq!(repair.poll_action(DEAD, now), Some(RepairAction::BuildNext));
            repair.handle_attempt_failed(now + Duration::from_millis(10));
            let next = repair.due(DEAD).unwrap_or_default();
            gaps.push(next - now);
            now = next;
        }
        assert_eq!(gaps[..6], [ATTEMPT_SPACING; 6]);
        assert_eq!(gaps[19], LONGEST_PAUSE + Duration::from_millis(10));
    }

    #[test]
    fn a_member_that_becomes_reachable_again_is_repaired_at_once() {
        let mut repair = Repair::default();
        repair.handle_health(Health::Dead, at_ms(0));
        assert_eq!(repair.poll_action(DEAD, at_ms(0)), Some(RepairAction::BuildNext));
        for _ in 0..20 {
            repair.handle_attempt_failed(at_ms(10_000));
        }
        assert_eq!(repair.poll_action(DEAD, at_ms(10_001)), None);
        repair.handle_reachable();
        assert_eq!(repair.poll_action(DEAD, at_ms(10_001)), Some(RepairAction::BuildNext));
    }
}
