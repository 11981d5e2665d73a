/// The steps of a rescue, as journal, audit log and progress name them.
package enum StepName: String, Hashable, Sendable, Codable, CaseIterable {
    case preflight
    case stop
    case copy
    case host
    case attach
    case connect
    /// An undo's: what a run took goes to the rescue VM.
    case store
    case scan
    case unlock
    case confirm
    case apply
    case verify
    case quarantine
    case detach
    case swap
    case boot
    case swapBack
    case deleteCopy
    case retireHost
    case deleteHost
    case deleteOriginal
}
