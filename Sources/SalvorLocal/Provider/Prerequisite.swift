import Glibc
import SalvorCoordinatorCore
import SalvorQEMU
internal import SalvorSystem
import SystemPackage

/// Something that the local provider needs of this computer, for `salvor doctor`.
package struct Prerequisite: Hashable, Sendable {
    package enum State: String, Hashable, Sendable {
        case present
        /// It works without, with the drawback that ``Prerequisite/detail`` tells.
        case limited
        case missing
    }

    package var name: String
    package var state: State
    /// What was found.
    package var detail: String
    /// What to do; nil where there is nothing to do.
    package var remedy: String?
}

extension LocalProvider {
    /// Everything at once, changing nothing.
    package func prerequisites() async -> [Prerequisite] {
        startProbe()
        let tools = configuration.tools
        var results = await Blocking.run {
            [
                Self.tool("qemu-system-x86_64", package: "qemu-system-x86", use: "runs machines", tools),
                Self.tool("qemu-img", package: "qemu-utils", use: "makes repair copies", tools),
                Self.tool("socat", package: "socat", use: "joins the rescue VM to the coordinator", tools),
                Self.tool("mformat", package: "mtools", use: "makes config disks", tools),
                Self.tool("mcopy", package: "mtools", use: "fills config disks", tools),
                Self.firmware(),
            ]
        }
        results.append(await accelerationState())
        results.append(await imageState())
        results.append(await folderState("inventory", inventory.folder))
        return results
    }

    private static func tool(_ name: String, package: String, use: String, _ tools: QEMUTools) -> Prerequisite {
        do throws(QEMUError) {
            let path = try tools.find(name, package: package)
            return Prerequisite(name: name, state: .present, detail: path.string, remedy: nil)
        } catch {
            return Prerequisite(
                name: name, state: .missing, detail: "\(name) \(use) and is not installed",
                remedy: "apt-get install \(package)")
        }
    }

    private static func firmware() -> Prerequisite {
        guard case .uefi(let code, let variables) = SalvorQEMU.Firmware.debianUEFI else {
            return Prerequisite(name: "UEFI", state: .missing, detail: "no firmware is known", remedy: nil)
        }
        if PosixFile.exists(code), PosixFile.exists(variables) {
            return Prerequisite(name: "UEFI", state: .present, detail: code.string, remedy: nil)
        }
        return Prerequisite(
            name: "UEFI", state: .limited, detail: "machines with firmware “uefi” cannot be started",
            remedy: "apt-get install ovmf")
    }

    private func accelerationState() async -> Prerequisite {
        switch await startProbe().value {
        case .success(.kvm):
            Prerequisite(name: "KVM", state: .present, detail: "a guest ran", remedy: nil)
        case .success(.tcg(let reason)):
            Prerequisite(
                name: "KVM", state: .limited, detail: "\(reason); machines run by translation, several times slower",
                remedy: "Enable virtualisation in this computer's firmware or its hypervisor.")
        case .failure(let error):
            Prerequisite(name: "KVM", state: .missing, detail: error.message, remedy: "apt-get install qemu-system-x86")
        }
    }

    private func imageState() async -> Prerequisite {
        do {
            let image = try await requireRescueImage()
            return Prerequisite(name: "rescue image", state: .present, detail: image.initramfs.string, remedy: nil)
        } catch {
            return Prerequisite(
                name: "rescue image", state: .missing, detail: error.message, remedy: "salvor image build")
        }
    }

    private func folderState(_ name: String, _ folder: FilePath) async -> Prerequisite {
        await Blocking.run {
            guard PosixFile.exists(folder) else {
                return Prerequisite(
                    name: name, state: .missing, detail: "\(folder) is not there", remedy: "mkdir -p \(folder)")
            }
            guard folder.withPlatformString({ access($0, R_OK | W_OK | X_OK) }) == 0 else {
                return Prerequisite(
                    name: name, state: .missing, detail: "\(folder) may not be read and written by this user",
                    remedy: "Grant access: a swap rewrites the machine's file there.")
            }
            let free = FileStatus.freeBytes(at: folder).map { "\($0 >> 20) MiB free" } ?? "free space unknown"
            return Prerequisite(name: name, state: .present, detail: "\(folder), \(free)", remedy: nil)
        }
    }
}
