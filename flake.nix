{
  description = "The top of the Linux OOM killer: who dies next, and why";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      forAll = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
    in
    {
      packages = forAll (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = "doomtop";
          version = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package.version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          # The tests read /proc of the machine that builds; `cargo test` runs them elsewhere.
          doCheck = false;
          env.DOOMTOP_COMMIT = self.rev or "";
          postInstall = ''
            assets/packages/install $out/bin/doomtop $TMPDIR/root
            cp -r $TMPDIR/root/usr/share $out/share
            mkdir -p $out/lib/systemd/system
            for unit in $TMPDIR/root/usr/lib/systemd/system/*.service; do
              substitute $unit $out/lib/systemd/system/$(basename $unit) --replace-fail /usr/bin/doomtop $out/bin/doomtop
            done
          '';
          meta = {
            description = "The top of the Linux OOM killer: who dies next, and why";
            license = with pkgs.lib.licenses; [ mit asl20 ];
            mainProgram = "doomtop";
            platforms = systems;
          };
        };
      });

      devShells = forAll (pkgs: {
        default = pkgs.mkShell { packages = with pkgs; [ cargo rustc clippy rustfmt ]; };
      });
    };
}
