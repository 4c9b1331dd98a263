import ReferenceCommands
import SpecLanguage
import SpecSamples
import Specs
import Testing

@Suite struct CommandLineTests {
    let vocabulary = TestVocabulary.standard

    func spec(_ command: String) throws -> ExperimentSpec {
        try TestVocabulary.loader.load(text: CommandImport(command, vocabulary: vocabulary).yaml).spec
    }

    @Test func theReadmesCommandsMeanWhatTheySay() throws {
        let plain = try spec("python train.py --base_dir data/vb")
        #expect(plain.data.path == "data/vb" && plain.backbone.name == "ncsnpp" && plain.train.maxEpochs == 160)
        let wide = try spec(
            """
            python train.py --base_dir=d --backbone ncsnpp_48k --n_fft 1534 --hop_length 384 --spec_factor 0.065 \
            --spec_abs_exponent 0.667 --sigma-min 0.1 --sigma-max 1.0 --theta 2.0 --sr 48000
            """
        )
        #expect(
            wide.transform.bins == 768 && wide.sde.settings.number("sigma_max") == 1 && wide.data.sampleRate == 48000)
        let bridge = try spec(
            """
            python train.py --base_dir d --backbone ncsnpp_v2 --sde sbve --loss_type data_prediction --pesq_weight \
            5e-4 --max_epochs -1 --max_epochs 3
            """
        )
        #expect(
            bridge.sde.name == "sbve" && bridge.objective.pesqWeight == 5e-4 && bridge.evaluate.N == [50]
                && bridge.train.maxEpochs == 3)
    }

    @Test func theConditionedCommandsToo() throws {
        let train = try spec(
            """
            CUDA_VISIBLE_DEVICES=0 python train_noise_cond.py --base_dir './data/voice bank' --backbone ncsnpp_v2_cond \
            \\
              --ref_num_frames 32 --noise_embed_dim 512 --noise_cond_type add --cond_drop_prob 0.2 --max_steps 58000 \\
              --batch_size 8 --devices 4 --wandb_name nc-cfg-p0.2 --nolog --ch_mult 1 1 2 2 2 2 2 --no-centered
            """)
        #expect(
            train.name == "nc-cfg-p0.2" && train.data.path == "./data/voice bank" && train.train.effectiveBatch == 32)
        #expect(train.conditioning?.condDropProb == 0.2 && train.backbone.settings.text("noise_cond_type") == "add")
        #expect(!train.backbone.settings.bool("centered"))
        let enhance = try spec(
            """
            python enhancement_noise_cond.py --test_dir data/test --enhanced_dir out --ckpt logs/step=50000.ckpt \
            --oracle_noise --clean_dir data/clean --N 50 --cfg_scale 3 --snr 0.33 --corrector none
            """
        )
        #expect(enhance.train.maxSteps == 0 && enhance.evaluate.N == [50] && enhance.evaluate.guidance == [3])
        #expect(enhance.evaluate.references[0].mode == .oracle && enhance.evaluate.references[0].numFrames == 63)
        #expect(
            enhance.evaluate.samplers[0].settings.choice("corrector").name == "none"
                && enhance.evaluate.sets[0].path == "data/test")
        #expect(enhance.evaluate.checkpoints[0].settings.text("path") == "logs/step=50000.ckpt")
    }

    @Test func testFoldersAndShellsAreUnderstood() throws {
        let enhance = try spec(
            """
            CUDA_VISIBLE_DEVICES=0 python enhancement.py --test_dir ./vb/test/noisy/ --enhanced_dir out --ckpt c.ckpt \
            --N 30 &
            """
        )
        #expect(enhance.evaluate.sets.map(\.name) == ["test"] && enhance.evaluate.sets[0].path == "./vb/test")
        let reverberant = try spec(
            """
            python enhancement.py --test_dir set/reverb --enhanced_dir out --ckpt c.ckpt ; python calc_metrics.py \
            --test_dir set
            """
        )
        #expect(reverberant.evaluate.sets[0].path == "set" && reverberant.evaluate.N == [30])
        #expect(reverberant.evaluate.sets[0].format == .reverb)
        let ode = try spec(
            "python enhancement.py --test_dir a/noisy --enhanced_dir out --ckpt c.ckpt --sampler_type ode --N 10")
        #expect(ode.evaluate.N.isEmpty)
        let unjudged = try spec("python train.py --base_dir d --num_eval_files 0")
        #expect(unjudged.evaluate.checkpoints.map(\.name) == ["last"])
        let plain = try spec("python enhancement.py --test_dir noisy --enhanced_dir out --ckpt c.ckpt > log")
        #expect(plain.evaluate.sets[0].path == "noisy")
    }

    /// Every option of the four scripts, as their parsers declare them.
    @Test(arguments: [
        """
        python train.py --base_dir d --backbone ncsnpp_v2 --sde ouve --nolog --wandb_name w --ckpt c.ckpt --log_dir l \
        --save_ckpt_interval 10 --accelerator gpu --devices auto --accumulate_grad_batches 2 --max_epochs 3 \
        --max_steps 4 --lr 1e-4 --ema_decay 0.99 --t_eps 0.02 --num_eval_files 3 --loss_type denoiser --loss_weighting \
        edm --network_scaling 1/sigma --c_in edm --c_out sigma --c_skip edm --sigma_data 0.2 --l1_weight 0.01 \
        --pesq_weight 0.0 --sr 16000 --theta 1.4 --sigma-min 0.04 --sigma-max 0.4 --N 20 --sampler_type pc --nf 64 \
        --ch_mult 1 2 2 --num_res_blocks 1 --attn_resolutions 16 8 --format reverb --batch_size 3 --n_fft 510 \
        --hop_length 100 --num_frames 64 --window sqrthann --num_workers 2 --dummy --spec_factor 0.3 \
        --spec_abs_exponent 0.6 --normalize clean --transform_type log
        """,
        "python train.py --base_dir d --backbone ncsnpp --centered --max_steps 1",
        """
        python train.py --base_dir d --backbone ncsnpp_48k --progressive output_skip --progressive_input input_skip \
        --sr 48000 --max_steps 1
        """,
        """
        python train.py --base_dir d --backbone dcunet --n_fft 512 --dcunet-architecture DilDCUNet-v2 \
        --dcunet-time-embedding gfp --dcunet-temb-layers-global 1 --dcunet-temb-layers-local 1 \
        --dcunet-temb-activation silu --dcunet-time-embedding-complex --dcunet-fix-length pad --dcunet-mask-bound none \
        --dcunet-norm-type bN --dcunet-activation leaky_relu --max_steps 1
        """,
        """
        python train.py --base_dir d --backbone ncsnpp_v2 --sde sbve --loss_type data_prediction --k 2.5 --c 0.3 --eps \
        1e-7 --N 40 --sampler_type sde --max_steps 1
        """,
        """
        python train_noise_cond.py --base_dir d --noise_encoder_type clap --noise_embed_dim 256 --noise_encoder_nf 32 \
        --train_noise_encoder False --freeze_clap --cond_drop_prob 0.1 --ref_length_sec 0.5 --return_ref_waveform \
        --noise_cond_type film --max_steps 1
        """,
        """
        python enhancement.py --test_dir t --enhanced_dir e --ckpt c --sampler_type pc --corrector langevin \
        --corrector_steps 2 --snr 0.4 --N 10 --device cuda --t_eps 0.04
        """,
        """
        python enhancement_noise_cond.py --test_dir t --enhanced_dir e --ckpt c --noise_ref n.wav --noise_ref_dir d \
        --ref_duration 0.25 --cfg_scale 2
        """,
    ])
    func everyOptionIsTaken(command: String) throws {
        let spec = try spec(command)
        // What the language can say, the command can: back and forth is the same training.
        guard command.contains("train") else { return }
        let export = try CommandExport(spec, vocabulary: vocabulary)
        let back = try self.spec(export.train)
        // The published train.py counts epochs alone.
        let lengths = command.contains("train.py") ? ["train.max_steps", "train.max_epochs"] : []
        let changes = back.changes(from: spec, parts: [.data, .training]).filter { !lengths.contains($0.path) }
        #expect(changes.isEmpty, "\(export.train)\n\(changes)")
        #expect(!lengths.isEmpty || export.train.contains("--max_steps 1"))
    }

    @Test func trainingByStepsHasNoOptionInThePublishedScript() throws {
        let steps = try export("backbone: ncsnpp\ntrain: { max_steps: 9 }\n")
        #expect(!steps.train.contains("--max_steps"))
        #expect(
            steps.remarks.contains(
                "train.max_steps 9 has no option of train.py: without --max_epochs it trains until it is stopped"))
        let both = try export("backbone: ncsnpp\ntrain: { max_steps: 9, max_epochs: 3 }\n")
        #expect(
            both.train.contains("--max_epochs 3")
                && both.remarks.contains("train.max_steps 9 has no option of train.py: it stops by --max_epochs alone"))
    }

    /// Networks declare their own options: what a network's class does not declare, the script refuses.
    @Test(arguments: [("ncsnpp", false, false), ("ncsnpp_v2", true, false), ("ncsnpp_48k", true, true)])
    func aNetworkHasItsOwnOptions(backbone: String, takesSize: Bool, takesPyramids: Bool) throws {
        let rate = backbone == "ncsnpp_48k" ? "data: { path: d, sample_rate: 48000 }\n" : "data: { path: d }\n"
        let spec = try TestVocabulary.loader.load(
            text: rate + "backbone: { name: \(backbone), nf: 64 }\ntrain: { max_epochs: 1 }\n"
        ).spec
        let export = try CommandExport(spec, vocabulary: vocabulary)
        #expect(export.train.contains("--nf 64") == takesSize)
        #expect(
            export.remarks.contains("backbone.nf 64 has no option of the script with backbone '\(backbone)'")
                == !takesSize)
        let read = try CommandImport(
            "python train.py --base_dir d --backbone \(backbone) --nf 64", vocabulary: vocabulary)
        #expect(
            read.remarks.contains { $0.hasPrefix("--nf is no option of train.py with backbone 'ncsnpp'") } == !takesSize
        )
    }

    @Test func aNetworkForOneRateRunsAtThatRate() throws {
        let line =
            """
            python train.py --base_dir d --backbone ncsnpp_48k --n_fft 1534 --hop_length 384 --spec_factor 0.065 \
            --spec_abs_exponent 0.667 --sigma-min 0.1 --sigma-max 1.0 --theta 2.0
            """
        #expect(try spec(line).data.sampleRate == 48000)
        let other = try CommandImport(line + " --sr 16000", vocabulary: vocabulary)
        #expect(
            other.yaml.contains("sample_rate: 48000")
                && other.remarks.contains("--sr 16000 is not the rate: the reference runs ncsnpp_48k at 48000 Hz"))
    }

    @Test func whatARemarkSaysIsWritten() throws {
        for devices in ["", " --devices auto", " --devices -1"] {
            let read = try CommandImport("python train.py --base_dir d" + devices, vocabulary: vocabulary)
            #expect(
                read.remarks.contains { $0.contains("1 is written") } && read.yaml.contains("devices: 1\n"),
                "\(devices): \(read.yaml)")
        }
    }

    @Test func valuesKeepTheirTypesAndVariablesTheirNames() throws {
        let read = try CommandImport(
            "python train.py --base_dir $DATA/vb --wandb_name 012 --lr 1e-4 --backbone ncsnpp_v2 --c_in 1",
            vocabulary: vocabulary)
        #expect(
            read.yaml.contains("lr: 0.0001\n") && read.yaml.contains("name: \"012\"\n")
                && read.yaml.contains("c_in: \"1\"\n"), "\(read.yaml)")
        #expect(read.yaml.contains("path: \"${env:DATA}/vb\"\n"))
    }

    /// What the reference reads and has no use for is left out, so that its working commands are working specs.
    @Test func optionsWithoutEffectAreLeftOut() throws {
        let old = try CommandImport(
            "python train.py --base_dir d --c_in edm --network_scaling 1/sigma --pesq_weight 1e-3",
            vocabulary: vocabulary)
        #expect(old.remarks.contains("--c_in changes nothing with backbone 'ncsnpp'"))
        #expect(old.remarks.contains("--pesq_weight changes nothing with loss 'score_matching'"))
        #expect(try TestVocabulary.loader.load(text: old.yaml).spec.objective.cIn == .one)
        let plain = try spec("python train.py --base_dir d --N 50")
        #expect(plain.train.validationN == 50 && plain.evaluate.N == [30])
        let bridge = try spec(
            "python train.py --base_dir d --backbone ncsnpp_v2 --sde sbve --loss_type data_prediction --N 40")
        #expect(bridge.train.validationN == 40 && bridge.evaluate.N == [40])
    }

    private func export(_ text: String) throws -> CommandExport {
        try CommandExport(
            try TestVocabulary.loader.load(text: "data: { path: d }\n" + text).spec, vocabulary: vocabulary)
    }

    @Test func exportsSayWhatTheReferenceLacks() throws {
        let bridge = try export(
            """
            backbone: ncsnpp_v2
            sde: sbve
            objective: { loss_type: data_prediction }
            train: { max_steps: 9, validation_N: 50 }
            evaluate: { N: [30, 50], sampler: sb_sde }

            """)
        #expect(bridge.enhance.count == 1 && bridge.enhance[0].contains("--sampler_type sde"))
        for option in ["--N", "--t_eps", "--snr"] { #expect(!bridge.enhance[0].contains(option)) }
        #expect(
            bridge.remarks.contains(
                "evaluate.N 30 has no option: the script takes a bridge's steps from the checkpoint, 50"))
        let score = try export(
            """
            backbone: ncsnpp
            train: { max_steps: 9 }
            evaluate: { sampler: { predictor: euler_maruyama, snr: 0.4 }, padding: replication, max_files: 4, segment: \
            4 }

            """)
        #expect(score.enhance[0].contains("--snr 0.4"))
        for remark in ["predictor euler_maruyama", "padding replication", "max_files 4", "segment 4"] {
            #expect(
                score.remarks.contains { $0.contains(remark) && $0.contains("has no option") },
                "\(remark): \(score.remarks)")
        }
    }

    @Test func wrongCommandsAreLocated() {
        let cases = [
            (
                "python train.py --base_dir d --bath_size 4",
                """
                command:1:30: error: unknown option '--bath_size'\n  python train.py --base_dir d --bath_size 4\n      \
                                         ^ did you mean '--batch_size'?
                """
            ),
            (
                "python train.py --base_dir d --lr",
                """
                command:1:30: error: '--lr' has no value\n  python train.py --base_dir d --lr\n                        \
                       ^
                """
            ),
            (
                "python enhancement.py --test_dir t --enhanced_dir e",
                """
                command:1:1: error: '--ckpt' is missing\n  python enhancement.py --test_dir t --enhanced_dir e\n  ^ \
                the checkpoint
                """
            ),
            (
                "python trian.py --lr 1",
                """
                command:1:8: error: unknown script 'trian.py'\n  python trian.py --lr 1\n         ^ did you mean \
                'train.py'?
                """
            ),
            (
                "python train.py --lr 1",
                """
                command:1:1: error: '--base_dir' is missing\n  python train.py --lr 1\n  ^ the folder with train, \
                valid, and test
                """
            ),
        ]
        for (command, expected) in cases {
            do {
                _ = try CommandImport(command, vocabulary: vocabulary)
                Issue.record("accepted \(command)")
            } catch {
                #expect(error.description == expected, "\(error)")
            }
        }
    }
}
