"""Recording from tf_keras (Keras 2) models."""

from tb_regplugin.capture.tf_keras.callback import RegularizationCallback as RegularizationCallback
