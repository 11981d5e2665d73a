/// Tags that Salvor puts on all that it makes, so that it can be found again whatever becomes of the run's own record.
package enum RunTag {
    /// The run's identifier.
    package static let run = "salvor-run"
    /// Resource id of the machine that a copy is for.
    package static let machine = "salvor-machine"
}
