/// Something that a person who waits wants to see. No terminal code here: whoever renders it decides how.
package struct ProgressEvent: Hashable, Sendable {
    package enum Change: Hashable, Sendable {
        case began
        /// Text from a guest has been made printable.
        case advanced(detail: String)
        case done(Duration)
        case failed(String)
        case interrupted
        /// Work on the machine has ended.
        case ended(MachineOutcome)
        /// About the whole run.
        case remark(String)
    }

    package var run: String
    package var machine: String?
    /// `rescue-1`.
    package var host: String?
    package var step: StepName?
    package var change: Change

    package init(
        run: String, machine: String? = nil, host: String? = nil, step: StepName? = nil, change: Change
    ) {
        self.run = run
        self.machine = machine
        self.host = host
        self.step = step
        self.change = change
    }
}
