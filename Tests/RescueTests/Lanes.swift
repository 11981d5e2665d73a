import Testing

// The real `salvor`, started as an operator starts it, with a real rescue VM where the test needs one.
//
// Two rescues at a time: a rescue VM without KVM takes one core, and a small machine has two. Each lane takes about as
// long as the other.

@Suite(.serialized, .timeLimit(.minutes(5)))
enum FirstLane {}

@Suite(.serialized, .timeLimit(.minutes(5)))
enum SecondLane {}
