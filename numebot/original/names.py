"""Where a plugin of the original numebot looks for its files: the same names, below a folder of its own."""

from __future__ import annotations

from pathlib import Path

TRAINING, LIVE = "numerai_training_data.parquet", "numerai_tournament_data.parquet"


class FileNamesGetter:
    """The paths of the original, without its downloads. `suffix` of a model's file is that of the plugin's choice."""

    def __init__(self, numerai_folder: Path, model_configs_path: Path | None = None, current_round: int = 0) -> None:
        self.folder = Path(numerai_folder)
        self.round = current_round
        self.model_configs_path = model_configs_path or self.folder / "model_configs.csv"
        self.data_folder = self.folder / "data"
        self.data_round_folder = self.data_folder / f"numerai_dataset_{current_round}"
        self.data_training_path = self.data_round_folder / TRAINING
        self.data_tournament_path = self.data_round_folder / LIVE
        self.example_predictions_path = self.data_round_folder / "example_predictions.csv"
        self.models_folder = self.folder / "models"
        self.monitoring_round_details_path = self.models_folder / "round_details.csv"

    def model_folder(self, model_name: str) -> Path:
        """Return where a model keeps its files; it is there."""
        folder = self.models_folder / model_name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def model_path(self, model_name: str, suffix: str = "xgb") -> Path:
        """Return the file of a trained model."""
        return self.model_folder(model_name) / f"model_{model_name}.{suffix}"

    def model_submission_path(self, model_name: str) -> Path:
        """Return where predictions were kept."""
        return self.folder / "submissions" / model_name / f"{model_name}_submission_{self.round}.csv"

    def model_submission_status_log_path(self, model_name: str) -> Path:
        """Return the history of a model's submissions."""
        return self.model_folder(model_name) / f"{model_name}_submission_status_info.csv"

    def model_leaderboard_log_path(self, model_name: str) -> Path:
        """Return the history of a model on the leaderboard."""
        return self.model_folder(model_name) / f"{model_name}_leaderboard_info.csv"
