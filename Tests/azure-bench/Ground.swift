import BenchFigures
import SalvorImage
import SystemPackage

/// What both sides need beside themselves: a broken machine in an emulated Azure, by the demo's own helper.
struct Ground: Sendable {
    static let group = "bench"
    static let machine = "broken"

    let emulator: RunningEmulator
    let helper: FilePath

    private var account: [String] {
        [
            emulator.base, emulator.authority.string, emulator.tenant, emulator.subscription, emulator.application,
            emulator.secretFile.string,
        ]
    }

    @discardableResult
    private func ask(_ arguments: String...) async throws -> String {
        let output = try await ToolRunner().output("python3", [helper.string] + account + arguments)
        return String(decoding: output, as: UTF8.self)
    }

    func makeMachine(_ vhd: FilePath, named name: String = machine, isReal: Bool) async throws {
        try await ask("make", Self.group, name, vhd.string, "V2")
        if isReal { try await ask("console", Self.group, name, "*** STOP: 0x00000050", "180") }
    }

    /// Real machines outlive their emulator, so they are deleted before it ends, whatever becomes of `body`.
    func deletingMachines<Value>(
        onlyAfterFailure: Bool = false, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            let value = try await body()
            if !onlyAfterFailure { try await ask("delete", Self.group) }
            return value
        } catch {
            _ = try? await ask("delete", Self.group)
            throw error
        }
    }

    /// For programs that sign in as an application, by the names that azure-identity has.
    func environment(_ scratch: FilePath) throws -> [String: String] {
        [
            "AZURE_TENANT_ID": emulator.tenant, "AZURE_CLIENT_ID": emulator.application,
            "AZURE_CLIENT_SECRET": String(try emulator.secret().filter { !$0.isWhitespace }),
            "SALVOR_HOME": scratch.appending("salvor").string,
        ]
    }

    /// For az, as arguments of the replay.
    var azAccount: [String] { account }
}
