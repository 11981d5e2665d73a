/// The version of Salvor, the same for the agent and the coordinator of one checkout.
package enum SalvorVersion {
    /// Semantic version.
    package static let current = "0.1.0"
    /// The version of the wire contract in Protocol/SPEC.md.
    package static let wire: UInt32 = 1
}
