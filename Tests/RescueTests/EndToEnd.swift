import Testing

/// The real `salvor`, started as an operator starts it, with a real rescue VM where the test needs one.
///
/// One after the other: a rescue VM without KVM takes both cores of a small machine.
@Suite(.serialized, .timeLimit(.minutes(5)))
enum EndToEnd {}
