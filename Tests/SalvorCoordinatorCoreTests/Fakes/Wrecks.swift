import Foundation
import SalvorCoordinatorCore
import Synchronization
import Testing

/// What is left when the power goes: the state folder as it is on the disk, and the world as it is.
struct Wreck: Sendable {
    let at: String
    let folder: TemporaryFolder
    let world: WorldState

    init(_ bench: RunBench, at point: String) throws {
        at = point
        let folder = try TemporaryFolder()
        self.folder = folder
        // Nothing takes hold in the world while the journal is copied: it would say that something is done that this
        // world has not seen, which no power cut can bring about.
        world = try bench.world.standingStill { world in
            try Wreck.copyState(of: bench, to: folder)
            return world
        }
    }

    private static func copyState(of bench: RunBench, to folder: TemporaryFolder) throws {
        let source = URL(fileURLWithPath: bench.state.path)
        let target = URL(fileURLWithPath: folder.path)
        // The journal first: the audit log is always written before the journal that remembers it.
        for name in ["journal.sqlite", "journal.sqlite-wal", "runs"] {
            let item = source.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: item.path) else { continue }
            try FileManager.default.copyItem(at: item, to: target.appendingPathComponent(name))
        }
    }

    /// A new process in the same world.
    func bench() throws -> RunBench {
        let bench = try RunBench(FakeWorld(world))
        try FileManager.default.createDirectory(atPath: bench.folder.path, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: folder.path, toPath: bench.state.path)
        return bench
    }
}

/// A wreck for each point that a run passes: before and after each effect, and whenever it has something to report.
final class Wrecks: Sendable {
    private let all = Mutex<[Wreck]>([])
    var list: [Wreck] { all.withLock { $0 } }

    func collect(from bench: RunBench) -> RunBench {
        var bench = bench
        let plain = bench
        bench.world.onEachPoint { point in
            let wreck = try Wreck(plain, at: point)
            self.all.withLock { $0.append(wreck) }
        }
        bench.progress = { event in
            guard let step = event.step else { return }
            if let wreck = try? Wreck(plain, at: "\(event.change) \(step) \(event.machine ?? "")") {
                self.all.withLock { $0.append(wreck) }
            }
        }
        return bench
    }
}
