//! Which camera a person means who switches between the cameras of a phone.

/// The side that a camera faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Facing {
    Front,
    Back,
}

impl Facing {
    /// By the label: browsers give no other hint before a camera is open.
    fn of(label: &str) -> Option<Self> {
        let label = label.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| label.contains(word));
        if says(&["back", "rear", "environment", "\u{540e}"]) {
            Some(Self::Back)
        } else if says(&["front", "user", "facetime", "selfie", "\u{524d}"]) {
            Some(Self::Front)
        } else {
            None
        }
    }
}

/// Whether a camera with this label shows what the person sees, so that its picture must not be mirrored.
#[must_use]
pub fn faces_away(label: &str) -> bool {
    Facing::of(label) == Some(Facing::Back)
}

/// The place in the list of the camera to switch to; `None` if there is no other one. `labels` has all cameras, `present` is the
/// place of the present one, if a camera was chosen before. A phone may have several cameras on its back, of which the first one is
/// the usual one, so one switch leads to the other side and the next one back.
#[must_use]
pub fn other_camera(labels: &[&str], present: Option<usize>) -> Option<usize> {
    if labels.len() < 2 {
        return None;
    }
    let first = |facing| labels.iter().position(|label| Facing::of(label) == Some(facing));
    // Without a choice a browser opens the camera that faces the person.
    let present = present.or_else(|| first(Facing::Front)).unwrap_or(0).min(labels.len() - 1);
    let other_side = match Facing::of(labels[present]) {
        Some(Facing::Front) => first(Facing::Back),
        Some(Facing::Back) => first(Facing::Front),
        None => None,
    };
    Some(other_side.unwrap_or((present + 1) % labels.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_switch_leads_to_the_other_side_and_the_next_one_back() {
        let android = [
            "camera2 1, facing front",
            "camera2 0, facing back",
            "camera2 2, facing back",
            "camera2 3, facing front",
        ];
        assert_eq!(other_camera(&android, None), Some(1));
        assert_eq!(other_camera(&android, Some(1)), Some(0));
        assert_eq!(other_camera(&android, Some(2)), Some(0));
        let ios = ["Back Dual Wide Camera", "Front Camera"];
        assert_eq!(other_camera(&ios, None), Some(0));
        assert_eq!(other_camera(&ios, Some(0)), Some(1));
        assert_eq!(ios.map(faces_away), [true, false]);
        let chinese =
            ["\u{524d}\u{7f6e}\u{6444}\u{50cf}\u{5934}", "\u{540e}\u{7f6e}\u{6444}\u{50cf}\u{5934}"];
        assert_eq!((other_camera(&chinese, Some(0)), other_camera(&chinese, Some(1))), (Some(1), Some(0)));
    }

    #[test]
    fn cameras_of_a_computer_follow_each_other() {
        let labels = ["Integrated Camera", "USB Video", ""];
        assert_eq!(other_camera(&labels, None), Some(1));
        assert_eq!(other_camera(&labels, Some(2)), Some(0));
        assert_eq!(other_camera(&labels, Some(99)), Some(0));
    }

    #[test]
    fn a_single_camera_cannot_be_switched() {
        assert_eq!(other_camera(&[], None), None);
        assert_eq!(other_camera(&["Front Camera"], Some(0)), None);
    }
}
