import AzureEmulator
import Foundation
import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON
import Synchronization
import Testing

/// The bytes of the image go to Azure Storage, whose refusals are headers.
@Suite struct PageUploadTests {
    @Test(arguments: ["429", "500", "503", "lost", "unsent"])
    func `a part that does not get through is sent again`(trouble: String) async throws {
        try await RunningAzure.run(contents: true) { azure in
            let pages = PageTrouble(azure.connections, trouble, times: 3)
            let ground = try await AzureGround(azure)
            try await ground.provider(pages).uploadRescueImage(to: "westeurope")
            #expect(pages.met == 3)
            #expect(try await ground.imageState() == "Unattached")
        }
    }

    @Test func `a refused part ends the upload without the address in the message, and the next one makes it whole`()
        async throws
    {
        try await RunningAzure.run(contents: true) { azure in
            let pages = PageTrouble(azure.connections, "403", times: 1)
            let ground = try await AzureGround(azure)
            let provider = try ground.provider(pages)
            do throws(ProviderError) {
                try await provider.uploadRescueImage(to: "westeurope")
                Issue.record("nothing was thrown")
            } catch {
                #expect(error.code == .unsupported)
                for secret in ["sig=", "https://"] { #expect(!"\(error)".contains(secret)) }
                #expect(error.message.contains("403") && error.message.contains(ground.image))
            }
            #expect(try await ground.imageState() == "ActiveUpload")
            try await ground.provider().uploadRescueImage(to: "westeurope")
            #expect(try await ground.imageState() == "Unattached")
        }
    }
}

extension AzureGround {
    fileprivate func provider(_ transport: any HTTPTransport) throws -> AzureProvider {
        try AzureProvider(arm: arm, transport: transport, configuration: configuration)
    }

    fileprivate func imageState() async throws -> String? {
        let disks = try await azure("GET", "resourceGroups/salvor-images/providers/Microsoft.Compute/disks").json
        return disks["value"]?.array?.first?["properties"]?["diskState"]?.string
    }
}

/// Refuses or loses the first pages that are sent.
private final class PageTrouble: HTTPTransport {
    private let inner: any HTTPTransport
    private let trouble: String
    private let times: Int
    private let count = Mutex(0)

    init(_ inner: any HTTPTransport, _ trouble: String, times: Int) {
        self.inner = inner
        self.trouble = trouble
        self.times = times
    }

    var met: Int { count.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        let isMet =
            request.method == "PUT" && request.url.contains("comp=page")
            && count.withLock { count in
                guard count < times else { return false }
                count += 1
                return true
            }
        guard isMet else { return try await inner.send(request) }
        if let status = Int(trouble) { return HTTPResponse(status: status) }
        if trouble == "lost" { _ = try await inner.send(request) }
        throw AzureError(.unreachable, "localhost cannot be reached.", nextStep: "Check the network.")
    }
}
