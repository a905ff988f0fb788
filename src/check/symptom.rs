//! What a person sees, in words, and whether it is what a sentence expects.

use crate::dataplane::Symptom;
use crate::language::{Text, text};
use crate::property::ExpectedSymptom;

/// What a person sees.
pub(super) fn symptom_text(symptom: Symptom) -> Text {
    match symptom {
        Symptom::Works => text!("it works", "연결됩니다"),
        Symptom::Refused => text!("connection refused", "연결 거부 (connection refused)"),
        Symptom::AcceptedThenClosed => {
            text!("connected, then reset (empty reply)", "연결된 뒤 끊김 (connection reset, empty reply)")
        }
        Symptom::TimedOut => text!("timed out", "응답 없음, 시간 초과 (timed out)"),
        Symptom::HostUnreachable => text!("no route to host, at once", "호스트 도달 불가, 즉시 (no route to host)"),
        Symptom::NoNeighbor => {
            text!("no route to host, after seconds", "호스트 도달 불가, 몇 초 뒤 (no route to host)")
        }
        Symptom::NetUnreachable => text!("network is unreachable", "네트워크 도달 불가 (network is unreachable)"),
        Symptom::NameNotResolved => text!("name not resolved", "이름을 찾을 수 없음"),
    }
}

/// Whether that is what `with` names.
pub(super) fn is_expected(expected: ExpectedSymptom, seen: Symptom) -> bool {
    match expected {
        ExpectedSymptom::Timeout => seen == Symptom::TimedOut,
        ExpectedSymptom::Refused => seen == Symptom::Refused,
        ExpectedSymptom::Reset => seen == Symptom::AcceptedThenClosed,
        ExpectedSymptom::NoRoute => matches!(seen, Symptom::HostUnreachable | Symptom::NoNeighbor),
        ExpectedSymptom::Unreachable => seen == Symptom::NetUnreachable,
        ExpectedSymptom::Unresolved => seen == Symptom::NameNotResolved,
    }
}
