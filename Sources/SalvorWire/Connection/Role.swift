/// Which side of the calls a machine is on. It says nothing about who dialled (SPEC.md, R-1).
package enum Role: Hashable, Sendable {
    /// Opens streams: the coordinator.
    case caller
    /// Serves streams: the agent.
    case callee

    package var peer: Role {
        self == .caller ? .callee : .caller
    }
}
