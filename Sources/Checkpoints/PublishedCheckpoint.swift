import Foundation

/// A checkpoint that its authors publish: its address, the network it holds, and the scores it should reach.
public struct PublishedCheckpoint: Sendable {
    /// Mean scores over a test set, from a publication.
    public struct ReportedScores: Sendable {
        /// The test set's name in the publication.
        public var set: String
        /// Mean of each metric over the set, in the metric's unit.
        public var values: [(metric: String, value: Double)]
        /// Where the numbers are published.
        public var source: String
        /// Why the numbers are no exact target for this file; `nil` where they are.
        public var note: String?
    }

    /// How a file is downloaded.
    public enum Address: Hashable, Sendable {
        case web(String)
        /// A file of Google Drive by its id, and the folder that contains it.
        case drive(id: String, folder: String)
        /// A folder with several files, from which the user takes the right one.
        case folder(String)
    }

    public var id: String
    public var summary: String
    /// The download, or the folder to take the file from.
    public var address: Address
    /// The backbone's name in the registry, such as `ncsnpp`.
    public var backbone: String
    /// The SDE's name in the registry, such as `ouve`.
    public var sde: String
    /// Hz, where its authors state it.
    public var sampleRate: Int?
    /// The sampler's settings, as options of `sgmse enhance`; empty for a model that does not run here.
    public var sampler: String
    /// Scores that others report for the file or its paper, kept beside ours; empty where none is known.
    public var reported: [ReportedScores]
    /// Anything else to know before using the file.
    public var remark: String?

    /// The name of the file after the download.
    public var fileName: String {
        guard case .web(let address) = address, let name = address.split(separator: "/").last else {
            return id + ".ckpt"
        }
        return String(name)
    }

    /// The file in `folder`, if it is there under its published name or its id.
    public func file(in folder: String) -> String? {
        [fileName, id + ".ckpt", id + ".pt"].map { folder + "/" + $0 }.first {
            FileManager.default.fileExists(atPath: $0)
        }
    }

    /// Where the file is published.
    public var source: String {
        switch address {
        case .web(let address): address
        case .drive(let id, let folder): "Google Drive file \(id), in \(folder)"
        case .folder(let address): address
        }
    }

    /// The commands or steps that put the file into `folder`.
    public func instruction(folder: String) -> String {
        switch address {
        case .web(let address): "curl --create-dirs -o \(folder)/\(fileName) \(address)"
        case .drive(let id, _): "mkdir -p \(folder) && gdown \(id) -O \(folder)/\(fileName)"
        case .folder: "take the file of this set from the folder, and name it \(folder)/\(fileName)"
        }
    }
}

/// The published checkpoints, by id.
public struct CheckpointRegistry: Sendable {
    /// In the order in which `sgmse checkpoint list` prints them.
    public var entries: [PublishedCheckpoint]

    /// The checkpoint of an id; `nil` for an unknown one.
    public subscript(id: String) -> PublishedCheckpoint? { entries.first { $0.id == id } }

    /// Everything that the guide of the reference lists, in its order, and the checkpoints of flow matching and of
    /// StoRM.
    public static let standard = CheckpointRegistry(
        entries: journal + fullband + objectives + [bridge] + reverberation + flows + regenerations)

    private static let guide = "the guide of github.com/sp-uhh/sgmse"
    private static let pc =
        "--N 30 --sampler pc --predictor reverse_diffusion --corrector ald --corrector-steps 1 --snr 0.5"
    private static let bridgeSampler = "--N 50 --sampler sb_ode"
    private static let page = "project page of Richter et al., ICASSP 2025 (github.com/sp-uhh/gen-se)"
    private static let hosts = "https://www2.informatik.uni-hamburg.de/sp/audio/publications/"

    // MARK: SGMSE+ at 16 kHz

    private static let journal: [PublishedCheckpoint] = {
        let drive = "https://drive.google.com/drive/folders/1CSnkhUSoiv3RG0xg7WEcVapyLuwDaLbe"
        let reverb = "https://drive.google.com/drive/folders/1082_PSEgrqoVVrNsAkSIcpLF1AAtzGwV"
        return [
            PublishedCheckpoint(
                id: "sgmse-plus-vb-dmd", summary: "SGMSE+ on VoiceBank-DEMAND",
                address: .drive(id: "1_H3EXvhcYBhOZ9QNUcD5VZHc6ktrRbwQ", folder: drive), backbone: "ncsnpp",
                sde: "ouve",
                sampleRate: 16000, sampler: pc,
                reported: [
                    .init(
                        set: "VoiceBank-DEMAND",
                        values: [("polqa", 3.95), ("pesq", 2.93), ("si_sdr", 17.3), ("estoi", 0.87), ("dnsmos", 3.56)],
                        source: page, note: "the paper's row"),
                    .init(
                        set: "VoiceBank-DEMAND", values: [("pesq", 2.91), ("estoi", 0.86), ("si_sdr", 16.9)],
                        source: "github.com/moonx010/sgmse", note: "this file run again by others, N 30"),
                ]),
            PublishedCheckpoint(
                id: "sgmse-plus-wsj0-chime3", summary: "SGMSE+ on WSJ0-CHiME3",
                address: .drive(id: "16K4DUdpmLhDNC7pJhBBc08pkSIn_yMPi", folder: drive), backbone: "ncsnpp",
                sde: "ouve",
                sampleRate: 16000, sampler: pc, reported: []),
            PublishedCheckpoint(
                id: "sgmse-plus-wsj0-reverb", summary: "SGMSE+ for dereverberation on WSJ0-REVERB",
                address: .drive(id: "1eiOy0VjHh9V9ZUFTxu1Pq2w19izl9ejD", folder: reverb), backbone: "ncsnpp",
                sde: "ouve",
                sampleRate: 16000,
                sampler: pc.replacing("--N 30", with: "--N 50").replacing("--snr 0.5", with: "--snr 0.33"),
                reported: [], remark: "the authors find N 50 and snr 0.33 better for this one"),
        ]
    }()

    // MARK: SGMSE+ at 48 kHz

    private static let fullband: [PublishedCheckpoint] = {
        let folder = "https://drive.google.com/drive/folders/1Tn6pVwjxUAy1DJ8167JCg3enuSi0hiw5"
        let source = "project page of EARS (github.com/facebookresearch/ears_dataset), first version of the sets"
        func entry(
            _ id: String, _ summary: String, _ drive: String, _ set: String, _ values: [(String, Double)]
        ) -> PublishedCheckpoint {
            PublishedCheckpoint(
                id: id, summary: summary, address: .drive(id: drive, folder: folder), backbone: "ncsnpp_48k",
                sde: "ouve",
                sampleRate: 48000, sampler: pc, reported: [.init(set: set, values: values, source: source)])
        }
        return [
            entry(
                "sgmse-plus-ears-wham", "SGMSE+ at 48 kHz on EARS-WHAM", "1t_DLLk8iPH6nj8M5wGeOP3jFPaz3i7K5",
                "EARS-WHAM",
                [("polqa", 3.40), ("si_sdr", 16.78), ("pesq", 2.50), ("estoi", 0.73), ("dnsmos", 3.88)]),
            entry(
                "sgmse-plus-ears-reverb", "SGMSE+ at 48 kHz for dereverberation on EARS-Reverb",
                "1PunXuLbuyGkknQCn_y-RCV2dTZBhyE3V",
                "EARS-Reverb",
                [("polqa", 3.61), ("si_sdr", 5.79), ("pesq", 3.03), ("estoi", 0.85), ("mos_reverb", 4.73)]),
        ]
    }()

    // MARK: The study of training objectives

    private static let objectives: [PublishedCheckpoint] = {
        func entry(_ number: Int, _ values: [Double], again: [Double]? = nil) -> PublishedCheckpoint {
            let isBridge = number >= 5
            let metrics = ["polqa", "pesq", "si_sdr", "estoi", "dnsmos"]
            var reported = [
                PublishedCheckpoint.ReportedScores(
                    set: "VoiceBank-DEMAND", values: zip(metrics, values).map { ($0, $1) }, source: page, note: nil)
            ]
            if let again {
                reported.append(
                    .init(
                        set: "VoiceBank-DEMAND", values: zip(["pesq", "estoi", "si_sdr"], again).map { ($0, $1) },
                        source: "arXiv 2609.35054, Table 1", note: "this file run again by others"))
            }
            let summary = "M\(number) of the study of training objectives, on VoiceBank-DEMAND"
            if number == 4 {
                // The study's own file was not found; this is the later model of the same authors on the same network.
                return PublishedCheckpoint(
                    id: "m4", summary: summary + ": EDM2SE",
                    address: .web(hosts + "icassp2026-edm2se/checkpoints/edm2se_vbdmd.ckpt"),
                    backbone: "edm2", sde: "sbve_edm2", sampleRate: 16000, sampler: "--N 50 --sampler edm2_ode",
                    reported: reported,
                    remark:
                        "the file is that of EDM2SE (ICASSP 2026), whose loss may not be M4's: the reported row is "
                        + "M4's; it holds a state dictionary alone, so its sizes are read from its tensors")
            }
            return PublishedCheckpoint(
                id: "m\(number)", summary: summary,
                address: .web(hosts + "icassp2025_gense/checkpoints/m\(number).ckpt"),
                backbone: "ncsnpp_v2", sde: isBridge ? "sbve" : "ouve", sampleRate: 16000,
                sampler: isBridge ? bridgeSampler : pc,
                reported: reported,
                remark: "the file's own hyper-parameters say which loss and scalings: sgmse checkpoint inspect")
        }
        return [
            entry(1, [3.93, 2.84, 17.7, 0.86, 3.54]), entry(2, [3.96, 2.90, 18.0, 0.86, 3.55]),
            entry(3, [3.86, 2.77, 17.8, 0.86, 3.51]), entry(4, [3.87, 2.87, 18.0, 0.86, 3.54]),
            entry(5, [4.15, 2.91, 19.4, 0.88, 3.59], again: [2.91, 0.88, 19.43]),
            entry(6, [4.15, 3.70, 8.3, 0.86, 3.44], again: [3.73, 0.86, 7.70]),
            entry(7, [4.25, 3.50, 14.1, 0.87, 3.55], again: [3.56, 0.87, 13.21]),
            entry(8, [4.20, 3.44, 15.3, 0.87, 3.58]),
        ]
    }()

    // MARK: The bridge, and reverberation

    private static let bridge = PublishedCheckpoint(
        id: "sb-vb-dmd-ears-wham", summary: "Schrödinger bridge on VoiceBank-DEMAND and EARS-WHAM, 900k steps",
        address: .web(hosts + "lipdiffuser/checkpoints/SB_VB-DMD_EARS-WHAM_900k.pt"), backbone: "ncsnpp_v2",
        sde: "sbve",
        sampleRate: 16000, sampler: bridgeSampler, reported: [],
        remark: "trained by data_prediction with batches of 16 on 2 devices, says \(guide)")

    private static let reverberation: [PublishedCheckpoint] = {
        func entry(_ id: String, _ summary: String, _ file: String, isBridge: Bool) -> PublishedCheckpoint {
            PublishedCheckpoint(
                id: id, summary: summary, address: .web(hosts + "itg2025-reverbfx/checkpoints/" + file),
                backbone: "not stated", sde: isBridge ? "sbve" : "ouve", sampleRate: nil,
                sampler: isBridge ? bridgeSampler : pc, reported: [],
                remark:
                    """
                    the guide states neither network nor rate: the file's own hyper-parameters do; cite the paper of \
                    ReverbFX
                    """
            )
        }
        return [
            entry(
                "sgmse-plus-reverbfx-artificial", "SGMSE+ on Singing-ReverbFX, artificial room responses",
                "sgmse_artificial_rir_350k.ckpt", isBridge: false),
            entry(
                "sgmse-plus-reverbfx-natural", "SGMSE+ on Singing-ReverbFX, natural room responses",
                "sgmse_natural_rir_350k.ckpt", isBridge: false),
            entry(
                "sb-reverbfx-artificial", "Schrödinger bridge on Singing-ReverbFX, artificial room responses",
                "sb_artificial_rir_350k.ckpt", isBridge: true),
        ]
    }()
}
