package import SalvorJSON

/// What an operation has to do outside of the state, with bytes or with machines. After a crash it is begun again, so it
/// finds what it has done before.
package struct Work: Sendable {
    let run: @Sendable (Equipment) async throws(ARMError) -> JSONValue

    package init(_ run: @escaping @Sendable (Equipment) async throws(ARMError) -> JSONValue) { self.run = run }
}

/// What the emulator has beside its state: where disks keep their bytes, and what machines run on.
package struct Equipment: Sendable {
    /// Nil: disks have no bytes, and are copied by name alone.
    package var contents: DiskContents?
    /// Nil: machines are simulated.
    package var hypervisor: (any Hypervisor)?

    /// Nil: vaults are reached by their names at the emulator's own port alone.
    package var vaults: VaultListeners?

    package init(
        contents: DiskContents? = nil, hypervisor: (any Hypervisor)? = nil, vaults: VaultListeners? = nil
    ) {
        self.vaults = vaults
        self.contents = contents
        self.hypervisor = hypervisor
    }
}
