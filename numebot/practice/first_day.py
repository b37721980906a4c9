"""What the practice tournament starts with when somebody plays it for the first time."""

from __future__ import annotations

MODEL_CONFIGS = """\
numerai_name,model_code,description,enabled,is_ensemble,parameters
practice_xgboost,models.example_xgboost,A small XGBoost for practice,True,False,\
"{""n_estimators"": 200, ""learning_rate"": 0.05}"
practice_lightgbm,models.example_lightgbm,A small LightGBM for practice,True,False,\
"{""n_estimators"": 200, ""learning_rate"": 0.05}"
"""
"""The models of the practice tournament's first day; the file is the user's to change afterwards."""

MAKING_TAKES = {"tiny": "a second", "small": "some 20 seconds", "full": "up to an hour and 15 GB"}
MAKING_WITHIN_S = {"tiny": 60.0, "small": 300.0, "full": 3 * 3600.0}
"""How long the made-up data take, in words, and when to give up waiting for them."""
