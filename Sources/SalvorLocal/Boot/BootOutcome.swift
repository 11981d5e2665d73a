/// What was seen first of a machine that was started.
enum BootOutcome: Hashable, Sendable {
    /// The probe is satisfied; what satisfied it.
    case ready(String)
    case restartLoop(count: Int)
    /// The guest's kernel told of its panic.
    case panicked
    /// The machine powered off or its process ended.
    case ended(String)
    /// The probe itself could not be carried out.
    case unwatchable(String)
}
