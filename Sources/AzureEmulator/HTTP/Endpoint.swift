/// A part of the emulator's address space that is not the Resource Manager's.
protocol Endpoint: Sendable {
    /// - Parameter segments: of the path.
    /// - Returns: nil for an address of another part.
    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse?
}
